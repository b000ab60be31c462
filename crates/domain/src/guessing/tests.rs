//! Who waits, for how long, and above all who does not.

use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn site(number: u8) -> Site {
    Site::of([192, 0, 2, number].into())
}

fn seconds(seconds: i64) -> Verdict {
    Verdict::Wait(SignedDuration::from_secs(seconds))
}

/// Tries once, and ends it.
fn tries(guesses: &mut Guesses, account: &str, from: u8, end: End, now: i64) -> Verdict {
    let verdict = guesses.begin(account, site(from), at(now));
    if verdict == Verdict::Try {
        guesses.end(account, site(from), end, at(now));
    }
    verdict
}

fn fails(guesses: &mut Guesses, account: &str, from: u8, times: usize, now: i64) {
    for _ in 0..times {
        assert_eq!(tries(guesses, account, from, End::Wrong, now), Verdict::Try);
    }
}

#[test]
fn after_five_failures_waits_double() {
    let mut guesses = Guesses::new(1_000_000);
    fails(&mut guesses, "alice", 1, 5, 0);
    let mut now = 0;
    for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        assert_eq!(guesses.begin("alice", site(1), at(now)), seconds(wait));
        assert_eq!(guesses.begin("alice", site(1), at(now + wait - 1)), seconds(1));
        now += wait;
        fails(&mut guesses, "alice", 1, 1, now);
    }
}

#[test]
fn the_owner_is_not_locked_out_from_elsewhere() {
    let mut guesses = Guesses::new(20);
    for attacker in 1..100 {
        fails(&mut guesses, "alice", attacker, 5, 0);
    }
    assert_eq!(tries(&mut guesses, "alice", 200, End::Right, 0), Verdict::Try);
}

#[test]
fn a_colleague_at_the_same_address_is_not_locked_out() {
    let mut guesses = Guesses::new(20);
    fails(&mut guesses, "alice", 1, 5, 0);
    for second in 0..1000 {
        tries(&mut guesses, "alice", 1, End::Wrong, second);
    }
    for colleague in ["bob", "carol", "dave"] {
        assert_eq!(tries(&mut guesses, colleague, 1, End::Right, 1000), Verdict::Try);
    }
}

#[test]
fn a_whole_office_comes_from_one_address_and_half_of_it_mistypes() {
    let mut guesses = Guesses::new(20);
    let office: Vec<String> = (0..200).map(|number| format!("user {number}")).collect();
    for user in &office {
        let first = if user.len() % 2 == 0 { End::Right } else { End::Wrong };
        assert_eq!(tries(&mut guesses, user, 1, first, 0), Verdict::Try, "everybody's first try counts");
    }
    let waiting = office.iter().filter(|user| user.len() % 2 == 1);
    for user in waiting {
        let patient = (0..=900).find(|second| tries(&mut guesses, user, 1, End::Right, *second) == Verdict::Try);
        assert!(patient.is_some(), "{user} gets in within minutes");
    }
    assert_eq!(tries(&mut guesses, "user 0", 1, End::Right, 1), Verdict::Try, "who was there is known");
}

#[test]
fn an_address_that_fails_at_many_accounts_waits() {
    let mut guesses = Guesses::new(3);
    let mut waits = Vec::new();
    for number in 0..7 {
        let account = format!("guess {number}");
        assert_eq!(guesses.begin(&account, site(1), at(0)), Verdict::Try);
        waits.push(guesses.end(&account, site(1), End::Wrong, at(0)).map(|wait| wait.as_secs()));
    }
    assert_eq!(waits, [None, None, None, Some(40), Some(60), Some(80), Some(100)], "until two are left of three");
    assert_eq!(guesses.begin("guess 0", site(1), at(0)), seconds(100));
    assert_eq!(guesses.begin("guess 0", site(1), at(100)), Verdict::Try);
}

#[test]
fn a_right_password_from_where_it_was_right_before_passes() {
    let mut guesses = Guesses::new(1);
    tries(&mut guesses, "alice", 1, End::Right, 0);
    for number in 0..50 {
        tries(&mut guesses, &format!("guess {number}"), 1, End::Wrong, 1);
    }
    fails(&mut guesses, "alice", 1, 1, 2);
    assert_eq!(tries(&mut guesses, "alice", 1, End::Right, 2), Verdict::Try);
}

#[test]
fn a_burst_gets_no_further_than_one_after_the_other() {
    let mut guesses = Guesses::new(20);
    let burst: Vec<Verdict> = (0..100).map(|_| guesses.begin("alice", site(1), at(0))).collect();
    assert_eq!(burst.iter().filter(|verdict| **verdict == Verdict::Try).count(), 5);
    assert!(burst[5..].iter().all(|verdict| *verdict == Verdict::Queue));
    for _ in 0..5 {
        guesses.end("alice", site(1), End::Wrong, at(0));
    }
    assert_eq!(guesses.begin("alice", site(1), at(0)), seconds(1));
}

#[test]
fn a_success_forgets_and_so_does_an_hour() {
    let mut guesses = Guesses::new(1_000_000);
    fails(&mut guesses, "alice", 1, 4, 0);
    tries(&mut guesses, "alice", 1, End::Right, 0);
    fails(&mut guesses, "alice", 1, 5, 0);
    fails(&mut guesses, "alice", 1, 5, 3_601);
}

#[test]
fn what_could_not_be_said_counts_for_nothing() {
    let mut guesses = Guesses::new(20);
    for _ in 0..100 {
        assert_eq!(tries(&mut guesses, "alice", 1, End::Unknown, 0), Verdict::Try);
    }
}

#[test]
fn memory_is_bounded_and_keeps_who_is_known() {
    let mut guesses = Guesses::new(20);
    tries(&mut guesses, "alice", 1, End::Right, 0);
    for number in 0..(3 * MAX_REMEMBERED) {
        let name = format!("made up {number}");
        tries(&mut guesses, &name, 1, End::Wrong, 1 + i64::try_from(number).unwrap());
    }
    assert!(guesses.remembered().0 <= MAX_REMEMBERED);
    assert!(guesses.pairs[&("alice".to_owned(), site(1))].known);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever attackers do elsewhere, and to others, a first try is let
    /// through or queued, and a wait is never longer than the longest.
    #[test]
    fn nobody_locks_another_out(steps in prop::collection::vec((0_u8..4, 0_u8..6, any::<bool>(), 0_i64..30), 0..300)) {
        let mut guesses = Guesses::new(20);
        let mut now = 0;
        for (from, account, right, pause) in steps {
            now += pause;
            let end = if right { End::Right } else { End::Wrong };
            let verdict = tries(&mut guesses, &format!("account {account}"), from, end, now);
            if let Verdict::Wait(wait) = verdict {
                prop_assert!(wait > SignedDuration::ZERO && wait <= LONGEST_WAIT);
            }
        }
        prop_assert_eq!(tries(&mut guesses, "account 0", 9, End::Right, now), Verdict::Try);
        for from in 0..4 {
            prop_assert_eq!(tries(&mut guesses, "a colleague", from, End::Right, now), Verdict::Try);
        }
    }

    /// However names are made up and however that ends, a site has few tries
    /// under way, each gets its turn, and nobody elsewhere waits.
    #[test]
    fn a_burst_of_made_up_names_is_few_at_once(limit in 1_u32..40, steps in prop::collection::vec((1_usize..60, 0_usize..60, 0_i64..5), 1..40)) {
        let mut guesses = Guesses::new(limit);
        let (mut now, mut names) = (0, 0_u32);
        let (mut queued, mut under_way) = (Vec::new(), Vec::new());
        for (come, ended, pause) in steps {
            now += pause;
            queued.extend((0..come).map(|_| { names += 1; format!("made up {names}") }));
            queued.retain(|name| {
                let verdict = guesses.begin(name, site(1), at(now));
                assert!(!matches!(verdict, Verdict::Wait(_)), "it is a first try");
                if verdict == Verdict::Try { under_way.push(name.clone()) }
                verdict == Verdict::Queue
            });
            prop_assert!(under_way.len() <= limit.max(FIRST_TRIES_AT_ONCE) as usize);
            prop_assert!(queued.is_empty() || !under_way.is_empty(), "who is queued has somebody to wait for");
            prop_assert_eq!(tries(&mut guesses, "a bystander", 2, End::Right, now), Verdict::Try);
            for name in under_way.drain(..ended.min(under_way.len())) {
                guesses.end(&name, site(1), End::Wrong, at(now));
            }
        }
    }

    /// From one site, nobody gets more guesses at an account than the waits allow.
    #[test]
    fn guesses_at_an_account_are_few(pauses in prop::collection::vec(0_i64..120, 1..400)) {
        let mut guesses = Guesses::new(1_000_000);
        let (mut now, mut made) = (0, 0);
        for pause in pauses {
            now += pause;
            made += i64::from(tries(&mut guesses, "alice", 1, End::Wrong, now) == Verdict::Try);
        }
        // Ten doublings reach the longest wait within 1,023 s.
        prop_assert!(made <= 16 + now / LONGEST_WAIT.as_secs());
    }
}
