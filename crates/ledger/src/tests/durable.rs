//! Whatever stops or fails: what was acknowledged is kept, each once.

use app::ports::{Ledger, LedgerError};
use domain::record::{Draft, Stream};
use serde_json::json;

use super::{
    simulated_disk::{EACCES, EIO, ENOSPC, EROFS, ESTALE, Fault, Luck, SimulatedDisk},
    tally::{Tally, assert_kept, draft, in_week},
};

/// How often a start is tried, as a person would.
const STARTS: usize = 4;

/// What a run came to.
#[derive(Default)]
struct Run {
    acknowledged: Vec<usize>,
    asked: Vec<usize>,
}

impl Run {
    async fn appends(&mut self, tally: &Tally, count: usize, week: i64) {
        let first = self.asked.len();
        self.asked.extend(first..first + count);
        if tally.append(first..first + count, in_week(week)).await.is_ok() {
            self.acknowledged.extend(first..first + count);
        }
    }
}

async fn opened(disk: &SimulatedDisk) -> Option<Tally> {
    for _ in 0..STARTS {
        if let Ok(tally) = Tally::open(disk).await {
            return Some(tally);
        }
    }
    None
}

/// A fixed run over two starts: batches, full segments, weeks that turn, a
/// snapshot of several parts, and a compaction.
async fn fixed_run(disk: &SimulatedDisk) -> Run {
    let mut run = Run::default();
    for start in 0..2 {
        let Some(tally) = opened(disk).await else { return run };
        for (batch, count) in [3, 1, 4, 2].into_iter().enumerate() {
            run.appends(&tally, count, start + i64::from(batch == 3)).await;
        }
        let _ = tally.compact(in_week(start + 1)).await;
        run.appends(&tally, 8, start + 1).await;
        run.appends(&tally, 2, start + 1).await;
        if disk.is_stopped() {
            return run;
        }
    }
    run
}

/// Starts again, appends, and starts once more after the power went.
async fn holds(disk: &SimulatedDisk, run: &Run, luck: &mut Luck, case: &str) {
    let tally = Tally::open(disk).await.unwrap_or_else(|error| panic!("{case}: {error}"));
    let kept = tally.numbers();
    assert_kept(&run.acknowledged, &run.asked, &kept, case);
    tally.is_one_chain(case).await;
    tally.append(900..903, in_week(3)).await.unwrap();
    drop(tally);
    disk.power_goes(luck);
    let tally = Tally::open(disk).await.unwrap_or_else(|error| panic!("{case}, again: {error}"));
    assert_eq!(tally.numbers(), [&kept[..], &[900, 901, 902]].concat(), "{case}, again");
    tally.is_one_chain(&format!("{case}, again")).await;
    assert!(tally.notes.iter().all(|note| !note.contains("torn")), "{case}: {:?}", tally.notes);
}

async fn calls_of_the_run() -> usize {
    let disk = SimulatedDisk::default();
    let run = fixed_run(&disk).await;
    assert_eq!(run.acknowledged, run.asked);
    assert!(disk.calls() > 60, "{} calls are too few to mean anything", disk.calls());
    disk.calls()
}

#[tokio::test]
async fn every_crash_point_keeps_what_was_acknowledged() {
    for stop in 1..=calls_of_the_run().await + 1 {
        let disk = SimulatedDisk::default();
        disk.fails([(stop, Fault::Stop)]);
        let run = fixed_run(&disk).await;
        let killed = disk.copy();
        holds(&killed, &run, &mut Luck::of(stop as u64), &format!("killed at call {stop}")).await;
        for luck in 0..4 {
            let cut = disk.copy();
            let mut lucky = Luck::of((stop * 10 + luck) as u64);
            cut.power_goes(&mut lucky);
            holds(&cut, &run, &mut lucky, &format!("power cut at call {stop}, luck {luck}")).await;
        }
    }
}

#[tokio::test]
async fn every_failing_call_loses_and_refuses_nothing() {
    for call in 1..=calls_of_the_run().await {
        for fault in [Fault::Error(EIO), Fault::Error(EACCES), Fault::Error(ESTALE), Fault::Short(ENOSPC)] {
            let disk = SimulatedDisk::default();
            disk.fails([(call, fault)]);
            let run = fixed_run(&disk).await;
            let case = format!("call {call}: {fault:?}");
            assert_eq!(run.acknowledged, run.asked, "{case}: one failure refuses nothing");
            let mut luck = Luck::of(call as u64);
            holds(&disk.copy(), &run, &mut luck, &case).await;
            disk.power_goes(&mut luck);
            holds(&disk, &run, &mut luck, &format!("{case}, then a power cut")).await;
        }
    }
}

#[tokio::test]
async fn calls_that_fail_together_lose_nothing() {
    for call in 1..=calls_of_the_run().await {
        for (apart, second) in [
            (1, Fault::Short(EIO)),
            (2, Fault::Error(EIO)),
            (3, Fault::Error(ENOSPC)),
            (1, Fault::Stop),
            (2, Fault::Stop),
        ] {
            let disk = SimulatedDisk::default();
            disk.fails([(call, Fault::Error(EIO)), (call + apart, second)]);
            let run = fixed_run(&disk).await;
            let case = format!("call {call}: an error, then {second:?} {apart} later");
            let mut luck = Luck::of((call * 7 + apart) as u64);
            holds(&disk.copy(), &run, &mut luck, &case).await;
            disk.power_goes(&mut luck);
            holds(&disk, &run, &mut luck, &format!("{case}, then a power cut")).await;
        }
    }
}

#[tokio::test]
async fn a_disk_that_takes_nothing_refuses_and_heals_without_a_start() {
    for (error, mend) in [(ENOSPC, "make room"), (EROFS, "write access"), (EIO, "DATA_DIR"), (EACCES, "write access")] {
        let disk = SimulatedDisk::default();
        let tally = Tally::open(&disk).await.unwrap();
        tally.append(0..3, in_week(0)).await.unwrap();
        disk.all_fail(Some(error));
        for _ in 0..3 {
            let Err(LedgerError::Unavailable(words)) = tally.append(3..6, in_week(0)).await else { panic!("{error}") };
            assert!(words.contains(mend), "{words}");
            assert!(tally.ledger.probe().await.is_err());
            tally.is_one_chain("while the disk takes nothing").await;
        }
        disk.all_fail(None);
        tally.ledger.probe().await.unwrap();
        tally.append(3..6, in_week(0)).await.unwrap();
        tally.append(6..7, in_week(0)).await.unwrap();
        tally.is_one_chain("healed").await;
        disk.power_goes(&mut Luck::of(error as u64));
        assert_eq!(Tally::open(&disk).await.unwrap().numbers(), (0..7).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_sync_that_failed_is_never_believed_again() {
    let disk = SimulatedDisk::default();
    let tally = Tally::open_with(&disk, usize::MAX).await.unwrap();
    tally.append(0..3, in_week(0)).await.unwrap();
    let before = disk.paths();
    disk.fails([(2, Fault::Error(EIO))]);
    tally.append(3..6, in_week(0)).await.unwrap();
    assert_eq!(disk.paths().len(), before.len() + 1, "the batch went to a segment of its own");
    let left = disk.content()[&before[0]].clone();
    tally.append(6..9, in_week(0)).await.unwrap();
    assert_eq!(disk.content()[&before[0]], left, "the one that failed is never written again");
    disk.power_goes(&mut Luck::of(1));
    let tally = Tally::open(&disk).await.unwrap();
    assert_eq!(tally.numbers(), (0..9).collect::<Vec<_>>());
    tally.is_one_chain("after the power cut").await;
}

#[tokio::test]
async fn all_that_wait_share_one_sync() {
    let disk = SimulatedDisk::default();
    let tally = Tally::open_with(&disk, usize::MAX).await.unwrap();
    tally.append(0..1, in_week(0)).await.unwrap();
    let (syncs, calls) = (disk.syncs(), disk.calls());
    tally.append(1..1_001, in_week(0)).await.unwrap();
    assert_eq!((disk.syncs(), disk.calls()), (syncs + 1, calls + 2), "one write, one sync");
}

#[tokio::test]
async fn what_is_large_is_synced_in_between_and_kept_whole_or_not_at_all() {
    let text = "x".repeat(200_000);
    let long = |number: usize| Draft { body: json!({ "number": number, "text": &text }), ..draft(number, in_week(0)) };
    for call in 1..=7 {
        for fault in [Fault::Error(EIO), Fault::Short(ENOSPC), Fault::Stop] {
            let disk = SimulatedDisk::default();
            let tally = Tally::open_with(&disk, usize::MAX).await.unwrap();
            tally.append(0..1, in_week(0)).await.unwrap();
            disk.fails([(call, fault)]);
            let drafts = (1..27).map(long).collect();
            let kept = tally.ledger.append(Stream::Audit, drafts, tally.snapshot()).await;
            assert_eq!(kept.is_ok(), fault != Fault::Stop || call > 4, "call {call}: {fault:?}");
            drop(tally);
            disk.power_goes(&mut Luck::of(call as u64));
            let tally = Tally::open(&disk).await.unwrap();
            let all: Vec<_> = (0..27).collect();
            let numbers = tally.numbers();
            assert!(numbers == all || (kept.is_err() && all.starts_with(&numbers)), "call {call}: {fault:?}");
            tally.is_one_chain(&format!("call {call}: {fault:?}")).await;
        }
    }
}

/// Random steps over many power cuts and kills, each followed by a start.
async fn round(seed: u64) {
    let mut luck = Luck::of(seed);
    let disk = SimulatedDisk::default();
    let mut run = Run::default();
    for start in 0..8 {
        let case = format!("seed {seed}, start {start}");
        let Some(tally) = opened(&disk).await else { panic!("{case}: it does not start") };
        let kept = tally.numbers();
        assert_kept(&run.acknowledged, &run.asked, &kept, &case);
        tally.is_one_chain(&case).await;
        run.acknowledged = kept;
        let faults = [Fault::Error(EIO), Fault::Short(ENOSPC), Fault::Stop, Fault::Stop];
        disk.fails((0..luck.below(3)).map(|_| (1 + luck.below(40), faults[luck.below(4)])).collect::<Vec<_>>());
        for _ in 0..1 + luck.below(12) {
            match luck.below(9) {
                0 => drop(tally.compact(in_week(start)).await),
                1 => run.appends(&tally, 30 + luck.below(40), start).await,
                _ => run.appends(&tally, 1 + luck.below(5), start + (luck.below(8) == 0) as i64).await,
            }
        }
        drop(tally);
        if luck.below(3) == 0 {
            disk.process_ends();
        } else {
            disk.power_goes(&mut luck);
        }
    }
}

#[tokio::test]
async fn many_power_cuts_lose_nothing() {
    let is_long = std::env::var("VPN_SESSIONS_LONG").is_ok_and(|value| value == "1");
    let seed = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("TEST_SEED={seed} repeats it");
    for number in 0..if is_long { 300 } else { 30 } {
        round(seed + number).await;
    }
}
