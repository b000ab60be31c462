//! Whatever is changed of what is kept is found and named; what nobody changed
//! is never complained of. `VPN_SESSIONS_LONG=1` runs ten thousand changes and a
//! thousand histories; `TEST_SEED` repeats a run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod chance;
mod mutation;
mod office;

use std::{fs, path::Path, time::Duration};

use domain::verification::Verdict;

use crate::{
    chance::{Chance, is_long, seed},
    mutation::{Kept, Mutation, mutate},
    office::{Office, files_of, found, found_offline, key, looked},
};

const STREAMS: [&str; 2] = ["audit", "access"];

/// A look at a share that a server is writing to is confirmed by so many.
const LOOKS: usize = 400;

fn kept(office: &Office) -> Kept {
    let folder = |stream: &str| office.data().join("ledger").join(stream);
    let streams = STREAMS.into_iter().map(|stream| (stream, files_of(&folder(stream)))).collect();
    Kept { streams, share: office.share() }
}

/// Puts segments back as they are to be.
fn write(data: &Path, from: &Kept, to: &Kept) {
    for stream in STREAMS {
        let (from, to, folder) = (&from.streams[stream], &to.streams[stream], data.join("ledger").join(stream));
        for name in from.keys().filter(|name| !to.contains_key(*name)) {
            fs::remove_file(folder.join(name)).unwrap();
        }
        for (name, content) in to.iter().filter(|(name, content)| from.get(*name) != Some(content)) {
            fs::write(folder.join(name), content).unwrap();
        }
    }
}

/// An office with weeks of history, and how it was somewhere in between.
async fn worked_for_weeks(chance: &mut Chance) -> (Office, Kept) {
    let mut office = Office::opens().await;
    let mut earlier = None;
    for step in 0..24 {
        office.is_read(chance).await;
        office.has_a_session(chance).await;
        office.does_something(chance).await;
        office.time_passes(chance);
        if step % 8 == 5 {
            office = office.restarted().await;
        }
        if step == 11 {
            office.catches_up().await;
            earlier = Some(kept(&office));
        }
    }
    office.has_a_session(chance).await;
    office.is_read(chance).await;
    office.catches_up().await;
    (office, earlier.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_is_found_and_named() {
    let (changes, each) = if is_long() { (10_000, 500) } else { (160, 80) };
    let chance = &mut Chance::of(seed());
    let mut made = 0;
    while made < changes {
        let (office, earlier) = worked_for_weeks(chance).await;
        let whole = kept(&office);
        assert_eq!(found(&office.data(), &whole.share).await, [], "nothing was changed yet");
        assert_eq!(found_offline(&whole.share), [], "nothing was changed yet");
        for _ in 0..each.min(changes - made) {
            let mut changed = whole.clone();
            let Some(mutation) = mutate(&mut changed, &earlier, chance) else { continue };
            if changed.share == whole.share && changed.streams == whole.streams {
                continue;
            }
            write(&office.data(), &whole, &changed);
            is_found(&office, &changed, &mutation, made).await;
            write(&office.data(), &changed, &whole);
            made += 1;
        }
    }
    println!("{made} changes were found and named");
}

async fn is_found(office: &Office, changed: &Kept, mutation: &Mutation, number: usize) {
    let Mutation { done, named, offline } = mutation;
    let all = found(&office.data(), &changed.share).await;
    let right = all.iter().any(|found| named.iter().any(|named| named.is_named_by(found)));
    assert!(right, "change {number}, {done}: nobody named {named:?} in {all:#?}");
    if let Some((file, line)) = offline {
        let all = found_offline(&changed.share);
        let of_file = all.iter().find(|found| found.file == *file);
        assert!(of_file.is_some(), "change {number}, {done}: not found by the checkpoints in {all:#?}");
        let named = of_file.and_then(|found| found.line);
        assert!(line.is_none() || *line == named, "change {number}, {done}: {named:?} was named, not {line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_changed_is_never_complained_of() {
    let runs = if is_long() { 1_000 } else { 10 };
    let seed = seed();
    for run in 0..runs {
        let chance = &mut Chance::of(seed.wrapping_mul(1_000_003) + run);
        let mut office = Office::opens().await;
        for _ in 0..chance.below(40) {
            office.does_something(chance).await;
            office.time_passes(chance);
            match chance.below(12) {
                0 => office = office.restarted().await,
                1 => office.catches_up().await,
                2 => office.is_read(chance).await,
                _ => {}
            }
        }
        beside_a_busy_server(&office, chance, run).await;
        office.catches_up().await;
        let share = office.share();
        assert_eq!(found(&office.data(), &share).await, [], "run {run}");
        if share.keys().any(|name| name.ends_with(".csv")) {
            assert_eq!(found_offline(&share), [], "run {run}, by the checkpoints alone");
        }
    }
    println!("{runs} histories raised no alarm");
}

/// Verifies while people work and the share follows, as the command does.
async fn beside_a_busy_server(office: &Office, chance: &mut Chance, run: u64) {
    let reports = office.reports();
    let follower = tokio::spawn(async move {
        loop {
            reports.catch_up().await;
            tokio::task::yield_now().await;
        }
    });
    let work = async {
        loop {
            office.does_something(chance).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = verify_beside(office, run) => {}
    }
    follower.abort();
    let _ = follower.await;
}

async fn verify_beside(office: &Office, run: u64) {
    let data = office.data();
    let share = office.share();
    let (mut found, mut verdicts) = looked(&data, &share).await;
    // A last line that is not finished is one that is being written.
    found.retain(|found| !found.text.contains("torn"));
    assert_eq!(found, [], "run {run}");
    for _ in 0..LOOKS {
        if verdicts.iter().all(Verdict::is_sound) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (_, later) = looked(&data, &office.share()).await;
        verdicts = verdicts.into_iter().map(|verdict| verdict.confirmed_by(&later)).collect();
    }
    panic!("run {run}: {verdicts:#?}");
}

#[test]
fn the_key_is_written_for_auditors() {
    assert!(key().to_string().starts_with("vpn-sessions-audit+"));
}
