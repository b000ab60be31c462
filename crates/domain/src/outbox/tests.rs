//! The rules of the outbox, told case by case.

use proptest::prelude::*;

use super::*;

fn message(number: u8, accepted_at: &str) -> Arc<Message> {
    Arc::new(Message {
        id: MessageId::of_bits([number; 16]),
        message_id: format!("<{number}@example.com>"),
        user: UserName::parse("promon").unwrap(),
        accepted_at: accepted_at.parse().unwrap(),
        text: "hello".into(),
        subject: None,
        priority: 3,
        dedupe_key: None,
        to: Vec::new(),
    })
}

fn does(outbox: &mut Outbox, command: RelayCommand) {
    outbox.decide(command).unwrap().iter().for_each(|fact| outbox.apply(fact));
}

fn attempt(result: AttemptResult, at: &str) -> RelayCommand {
    RelayCommand::NoteAttempt { id: MessageId::of_bits([1; 16]), result, at: at.parse().unwrap(), jitter: 0 }
}

fn queued() -> Outbox {
    let mut outbox = Outbox::default();
    does(&mut outbox, RelayCommand::Accept { message: message(1, "2026-11-24T09:00:00Z"), can_mail: true });
    outbox
}

fn status(outbox: &Outbox) -> Status {
    outbox.find(&MessageId::of_bits([1; 16])).unwrap().status
}

#[test]
fn waits_double_to_a_quarter_of_an_hour() {
    let seconds: Vec<i64> = (1..=8).map(|attempts| wait_after(attempts, 0).as_secs()).collect();
    assert_eq!(seconds, [30, 60, 120, 240, 480, 900, 900, 900]);
    assert_eq!(wait_after(u32::MAX, 0), LONGEST_WAIT);
    assert_eq!(wait_after(1, 255).as_millis(), 22_500);
}

#[test]
fn a_message_that_is_taken_is_sent() {
    let mut outbox = queued();
    assert_eq!(outbox.due("2026-11-24T09:00:00Z".parse().unwrap()).count(), 1);
    does(&mut outbox, attempt(AttemptResult::Taken { words: "250 OK".into() }, "2026-11-24T09:00:01Z"));
    assert_eq!((status(&outbox), outbox.waiting(), outbox.next_due()), (Status::Sent, 0, None));
    let again = attempt(AttemptResult::Taken { words: "250 OK".into() }, "2026-11-24T09:00:02Z");
    assert_eq!(outbox.decide(again), Ok(Vec::new()));
}

#[test]
fn transient_trouble_waits_and_ends_after_five_days() {
    let mut outbox = queued();
    let away = || AttemptResult::Transient { words: "connection refused".into() };
    does(&mut outbox, attempt(away(), "2026-11-24T09:00:01Z"));
    assert_eq!(outbox.next_due(), Some("2026-11-24T09:00:31Z".parse().unwrap()));
    assert_eq!(outbox.due("2026-11-24T09:00:30Z".parse().unwrap()).count(), 0);
    does(&mut outbox, attempt(away(), "2026-11-29T08:58:00Z"));
    assert_eq!(status(&outbox), Status::Queued);
    does(&mut outbox, attempt(away(), "2026-11-29T08:59:00Z"));
    assert_eq!(status(&outbox), Status::Failed);
}

#[test]
fn what_failed_is_sent_again_when_asked_and_what_was_sent_is_not() {
    let mut outbox = queued();
    let id = MessageId::of_bits([1; 16]);
    does(&mut outbox, attempt(AttemptResult::Permanent { words: "550 no".into() }, "2026-11-24T09:00:01Z"));
    assert_eq!((status(&outbox), outbox.waiting()), (Status::Failed, 0));
    does(&mut outbox, RelayCommand::Retry { id: id.clone(), can_mail: true });
    assert_eq!((status(&outbox), outbox.waiting()), (Status::Queued, 1));
    does(&mut outbox, attempt(AttemptResult::Taken { words: "250 OK".into() }, "2026-11-24T09:01:00Z"));
    assert_eq!(
        outbox.decide(RelayCommand::Retry { id: id.clone(), can_mail: true }),
        Err(RelayRefusal::AlreadySent(id))
    );
    let unknown = MessageId::named("?");
    assert_eq!(
        outbox.decide(RelayCommand::Retry { id: unknown.clone(), can_mail: true }),
        Err(RelayRefusal::UnknownMessage(unknown))
    );
}

#[test]
fn held_messages_are_queued_while_they_are_news() {
    let mut outbox = Outbox::default();
    for (number, at) in [(1, "2026-11-24T09:00:01Z"), (2, "2026-11-24T08:00:00Z")] {
        does(&mut outbox, RelayCommand::Accept { message: message(number, at), can_mail: false });
    }
    assert_eq!(status(&outbox), Status::Held);
    does(&mut outbox, RelayCommand::QueueHeld { now: "2026-11-25T09:00:00Z".parse().unwrap() });
    assert_eq!(status(&outbox), Status::Queued);
    assert_eq!(outbox.find(&MessageId::of_bits([2; 16])).unwrap().status, Status::Held);
}

fn numbered(number: usize, text: &str) -> Arc<Message> {
    let message = Message::clone(&message(0, "2026-11-24T09:00:00Z"));
    Arc::new(Message { id: MessageId::named(&number.to_string()), text: text.into(), ..message })
}

fn accept(message: Arc<Message>, can_mail: bool) -> RelayCommand {
    RelayCommand::Accept { message, can_mail }
}

#[test]
fn the_queue_has_a_limit() {
    let mut outbox = Outbox::default();
    for number in 0..MAX_QUEUED_MESSAGES {
        does(&mut outbox, accept(numbered(number, "hello"), true));
    }
    let one_more = accept(message(1, "2026-11-24T09:00:00Z"), true);
    assert_eq!(outbox.decide(one_more), Err(RelayRefusal::Full));
    assert_eq!(outbox.latest(u64::MAX).count(), MAX_QUEUED_MESSAGES);
}

#[test]
fn of_too_many_held_messages_the_oldest_is_given_up() {
    let mut outbox = Outbox::default();
    for number in 0..=MAX_HELD_MESSAGES {
        does(&mut outbox, accept(numbered(number, "hello"), false));
    }
    assert_eq!(outbox.waiting(), MAX_HELD_MESSAGES);
    let oldest = outbox.find(&MessageId::named("0")).unwrap();
    assert_eq!((oldest.status, oldest.last_words.as_deref()), (Status::Failed, Some(GIVEN_UP_WORDS)));
    does(&mut outbox, accept(message(1, "2026-11-24T09:00:00Z"), true));
}

#[test]
fn texts_have_a_limit_in_all_and_those_at_an_end_go_first() {
    let text = "x".repeat(MAX_MESSAGE_BYTES);
    let fitting = MAX_OUTBOX_BYTES / MAX_MESSAGE_BYTES;
    let mut outbox = Outbox::default();
    for number in 0..fitting {
        does(&mut outbox, accept(numbered(number, &text), true));
    }
    assert_eq!(outbox.decide(accept(numbered(fitting, "x"), true)), Err(RelayRefusal::Full));
    let taken = AttemptResult::Taken { words: "250 OK".into() };
    let at = "2026-11-24T09:00:01Z".parse().unwrap();
    let id = MessageId::named("0");
    does(&mut outbox, RelayCommand::NoteAttempt { id: id.clone(), result: taken.clone(), at, jitter: 0 });
    does(&mut outbox, accept(numbered(fitting, &text), true));
    assert!(outbox.find(&id).is_some(), "one more is remembered until something ends");
    does(&mut outbox, RelayCommand::NoteAttempt { id: MessageId::named("1"), result: taken, at, jitter: 0 });
    assert_eq!(outbox.find(&id), None);
}

/// An empty outbox that takes what a start would read of a snapshot.
fn restored(outbox: &Outbox) -> Outbox {
    let mut restored = Outbox::default();
    for item in outbox.snapshot() {
        restored.restore(serde_json::from_str(&serde_json::to_string(&item).unwrap()).unwrap());
    }
    restored
}

/// What happens to one of a few messages.
fn command() -> impl Strategy<Value = RelayCommand> {
    let result = prop_oneof![
        Just(AttemptResult::Taken { words: "250 OK".into() }),
        Just(AttemptResult::Transient { words: "451 later".into() }),
        Just(AttemptResult::Permanent { words: "550 no".into() }),
    ];
    (0..4u8, 0..12u8, result, 0..9i64, any::<bool>()).prop_map(|(kind, number, result, hours, can_mail)| {
        let at = "2026-11-24T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours * 20);
        let id = MessageId::of_bits([number; 16]);
        match kind {
            0 => accept(message(number, &at.to_string()), can_mail),
            1 => RelayCommand::QueueHeld { now: at },
            2 => RelayCommand::Retry { id, can_mail },
            _ => RelayCommand::NoteAttempt { id, result, at, jitter: number },
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_makes_the_outbox_again(commands in proptest::collection::vec(command(), 1..60)) {
        let mut outbox = Outbox::default();
        for command in commands {
            let twice = matches!(&command, RelayCommand::Accept { message, .. } if outbox.find(&message.id).is_some());
            let facts = if twice { Vec::new() } else { outbox.decide(command).unwrap_or_default() };
            facts.iter().for_each(|fact| outbox.apply(fact));
            prop_assert_eq!(&restored(&outbox), &outbox);
        }
    }
}

#[test]
fn a_snapshot_keeps_what_was_forgotten_forgotten() {
    let mut outbox = Outbox::default();
    for number in 0..REMEMBERED_ENDED_MESSAGES + 3 {
        let message = numbered(number, "hello");
        outbox.apply(&RelayFact::Accepted { message: message.clone(), status: Status::Held });
        outbox.apply(&RelayFact::GivenUp { id: message.id.clone(), at: message.accepted_at });
    }
    assert_eq!(restored(&outbox), outbox);
}

#[test]
fn the_longest_message_fits_a_part_of_a_snapshot() {
    let mut outbox = Outbox::default();
    let text = "\u{1}".repeat(MAX_MESSAGE_BYTES);
    let message = Message::clone(&numbered(1, &text));
    let id = message.id.clone();
    let subject = Some("\u{1}".repeat(MAX_SUBJECT_CHARS));
    outbox.apply(&RelayFact::Accepted { message: Arc::new(Message { subject, ..message }), status: Status::Queued });
    let at = "2026-11-24T09:00:00Z".parse().unwrap();
    let words = "\u{1}".repeat(MAX_WORDS_CHARS);
    outbox.apply(&RelayFact::Attempted { id, status: Status::Failed, words, at, next_attempt_at: None });
    let longest = outbox.snapshot().map(|item| serde_json::to_string(&item).unwrap().len()).max().unwrap();
    let room = crate::record::MAX_LINE_BYTES - longest;
    assert!(room > 64 * 1024, "{room} bytes are left of a line, for its recipients and what a record has around it");
}
