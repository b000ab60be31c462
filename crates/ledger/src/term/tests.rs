//! What a holder knows of its term, and what it may not do when it has lost it.

use std::{fs, io};

use app::ports::Ledger;
use domain::record::{Draft, Stream};
use futures_now::now_or_never;
use serde::Serialize;
use tempfile::TempDir;

use super::*;
use crate::{
    FileLedger,
    disk::{Appending, Disk, RealDisk},
    held_disk::held_file,
    stream::SEGMENT_BYTES,
    verify,
};

/// One that always looks, and by itself never.
const WARY: Pace = Pace { known_for: Duration::ZERO, moves_every: LONG, ..PACE };

/// One that goes by what it knew, however slow a test is.
const TRUSTING: Pace = Pace { known_for: LONG, moves_every: LONG, ..PACE };

const LONG: Duration = Duration::from_secs(3_600);

#[derive(Serialize)]
struct Noted {
    kind: &'static str,
    body: u32,
}

fn draft(number: u32) -> Draft {
    Draft::of(jiff::Timestamp::UNIX_EPOCH, &Noted { kind: "noted", body: number })
}

fn opened(term: &Term) -> FileLedger {
    FileLedger::open(term, "an epoch".into(), jiff::Timestamp::UNIX_EPOCH).unwrap().0
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The one who follows a term that stands still.
fn successor(folder: &Path) -> Term {
    let mut candidate = Candidate::new(folder);
    for at in [0, 10, 11, 14] {
        if let Look::Taken(term) = candidate.look(Duration::from_secs(at)).unwrap() {
            return term;
        }
    }
    panic!("it was not followed")
}

#[test]
fn one_process_holds_a_directory_at_a_time() {
    let folder = folder();
    let term = Term::take(folder.path()).unwrap();
    let Err(LedgerError::Conflict(problem)) = Term::take(folder.path()) else { panic!("two hold it") };
    assert!(problem.contains(&std::process::id().to_string()), "{problem}");
    assert_eq!(holder(folder.path()), Some(Holder::this_process()));
    drop(term);
    assert_eq!(holder(folder.path()), None);
    assert_eq!(Term::take(folder.path()).unwrap().number(), 2);
}

#[test]
fn a_file_in_the_folders_place_is_said() {
    let folder = folder();
    let path = folder.path().join("data");
    fs::write(&path, "").unwrap();
    let Err(LedgerError::Unavailable(problem)) = Term::take(&path) else { panic!("taken") };
    assert!(problem.contains("DATA_DIR"), "{problem}");
}

#[test]
fn what_was_seen_of_a_term_is_good_for_a_while() {
    let folder = folder();
    let pace = Pace { moves_every: LONG, ..PACE };
    let term = Term::take_at(folder.path(), pace).unwrap();
    let held = term.held();
    let begun = held.lock().known_at;
    fs::write(file::path(folder.path(), 2), "").unwrap();
    assert_eq!(held.confirm_at(begun + Duration::from_millis(1_499)), Ok(()));
    assert_eq!(*held.lost.subscribe().borrow(), None);
    let late = begun + Duration::from_millis(1_500);
    assert!(matches!(held.confirm_at(late), Err(LedgerError::Conflict(_))));
    fs::remove_file(file::path(folder.path(), 2)).unwrap();
    assert!(matches!(held.confirm_at(begun), Err(LedgerError::Conflict(_))), "lost is lost");
}

#[test]
fn a_look_that_finds_nobody_renews_what_is_known() {
    let folder = folder();
    let term = Term::take_at(folder.path(), Pace { moves_every: LONG, ..PACE }).unwrap();
    let begun = term.held().lock().known_at;
    for second in [60, 61, 100] {
        let now = begun + Duration::from_secs(second);
        assert_eq!(term.held().confirm_at(now), Ok(()));
        assert_eq!(term.held().lock().known_at, if second == 61 { now - Duration::from_secs(1) } else { now });
    }
}

#[test]
fn a_term_of_which_nothing_is_left_is_lost() {
    let folder = folder();
    let term = Term::take_at(folder.path(), WARY).unwrap();
    // Two others went by, and removed what came before them.
    fs::write(file::path(folder.path(), 3), "").unwrap();
    file::remove_before(folder.path(), 3);
    assert_eq!(file::numbers(folder.path()).unwrap(), [3]);
    assert!(matches!(term.held().confirm(), Err(LedgerError::Conflict(_))));
}

#[test]
fn a_counter_moves_on_to_a_term_of_its_own() {
    let folder = folder();
    let pace = Pace { longest_file: 200, ..WARY };
    let term = Term::take_at(folder.path(), pace).unwrap();
    for _ in 0..1_000 {
        assert!(term.held().moves());
        assert_eq!(term.held().confirm(), Ok(()));
        assert!(file::length(&file::path(folder.path(), term.number())) <= 200);
    }
    assert!(term.number() > 5, "term {}", term.number());
    assert_eq!(file::numbers(folder.path()).unwrap(), [term.number() - 1, term.number()]);
    assert_eq!(holder(folder.path()), Some(Holder::this_process()));
    fs::write(file::path(folder.path(), term.number() + 1), "").unwrap();
    assert!(!term.held().moves(), "another was first");
}

#[tokio::test]
async fn one_that_has_lost_acknowledges_nothing_and_harms_nothing() {
    let folder = folder();
    let loser = Term::take_at(folder.path(), WARY).unwrap();
    let ledger = opened(&loser);
    let first = ledger.append(Stream::Audit, vec![draft(1)], crate::tests::nothing()).await.unwrap();
    let winner = successor(folder.path());
    let successor = opened(&winner);
    assert!(now_or_never(loser.lost()).await.is_none());
    for stream in [Stream::Audit, Stream::Relay] {
        let refused = ledger.append(stream, vec![draft(2)], crate::tests::nothing()).await;
        assert!(matches!(refused, Err(LedgerError::Conflict(_))), "{refused:?}");
    }
    assert!(now_or_never(loser.lost()).await.is_some());
    assert!(matches!(ledger.confirm().await, Err(LedgerError::Conflict(_))));
    assert!(matches!(ledger.probe().await, Err(LedgerError::Conflict(_))));
    assert_eq!(ledger.read(Stream::Audit, 0, 10).await.unwrap(), first, "what was not kept is not shown");
    successor.append(Stream::Audit, vec![draft(3)], crate::tests::nothing()).await.unwrap();
    drop((ledger, loser));
    let kept = crate::open_to_read(folder.path()).unwrap().read(Stream::Audit, 0, 10).await.unwrap();
    assert_eq!(kept.iter().map(|record| record.body.clone()).collect::<Vec<_>>(), [1, 3]);
}

#[tokio::test]
async fn what_the_loser_wrote_behind_the_successors_first_record_is_no_part() {
    let folder = folder();
    let loser = Term::take_at(folder.path(), TRUSTING).unwrap();
    let ledger = opened(&loser);
    ledger.append(Stream::Audit, vec![draft(1)], crate::tests::nothing()).await.unwrap();
    let winner = successor(folder.path());
    let successor = opened(&winner);
    // As if it had been paused behind its look, and went on late.
    ledger.append(Stream::Audit, vec![draft(2)], crate::tests::nothing()).await.unwrap();
    ledger.append(Stream::Relay, vec![draft(2)], crate::tests::nothing()).await.unwrap();
    successor.append(Stream::Audit, vec![draft(3)], crate::tests::nothing()).await.unwrap();
    successor.append(Stream::Relay, vec![draft(3)], crate::tests::nothing()).await.unwrap();
    drop(winner);
    let again = opened(&Term::take(folder.path()).unwrap());
    for (stream, expected) in [(Stream::Audit, vec![1, 3]), (Stream::Relay, vec![3])] {
        let kept = again.read(stream, 0, 10).await.unwrap();
        assert_eq!(kept.iter().map(|record| record.body.clone()).collect::<Vec<_>>(), expected);
    }
    assert!(verify(folder.path()).into_iter().all(|(_, proof)| proof.is_ok()));
}

#[tokio::test]
async fn what_a_successor_is_writing_is_not_cut_off() {
    let folder = folder();
    let loser = Term::take_at(folder.path(), WARY).unwrap();
    opened(&loser).append(Stream::Audit, vec![draft(1)], crate::tests::nothing()).await.unwrap();
    let winner = successor(folder.path());
    opened(&winner).append(Stream::Audit, vec![draft(2)], crate::tests::nothing()).await.unwrap();
    let segment = folder.path().join("ledger/audit/000003.jsonl");
    let half = [fs::read(&segment).unwrap().as_slice(), b"{\"seq\":"].concat();
    fs::write(&segment, &half).unwrap();
    let refused = FileLedger::open_held(&loser, "e".into(), jiff::Timestamp::UNIX_EPOCH, SEGMENT_BYTES).map(drop);
    assert!(matches!(refused, Err(LedgerError::Conflict(_))), "{refused:?}");
    assert_eq!(fs::read(&segment).unwrap(), half);
}

/// A file of the machine's that no sync makes durable.
struct Unsyncable {
    file: Box<dyn Appending>,
    is_writable: bool,
}

impl Appending for Unsyncable {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = if self.is_writable { bytes } else { &bytes[..bytes.len() / 2] };
        self.file.append(written)?;
        if self.is_writable { Ok(()) } else { Err(io::Error::from_raw_os_error(28)) }
    }

    fn sync(&mut self) -> io::Result<()> {
        Err(io::Error::from_raw_os_error(5))
    }

    fn take_back(&mut self) {
        self.file.take_back();
    }
}

#[test]
fn what_failed_is_taken_back_by_who_holds_the_term_and_by_nobody_else() {
    for (is_writable, left) in [(true, "as a whole"), (false, "as a ")] {
        for is_followed in [false, true] {
            let folder = folder();
            // It goes by what it knew, so it is at the failure that it has to look.
            let term = Term::take_at(folder.path(), TRUSTING).unwrap();
            let path = folder.path().join("segment");
            let mut real = RealDisk.create_new(&path).unwrap();
            real.append(b"kept, ").and_then(|()| real.sync()).unwrap();
            let mut file = held_file(Box::new(Unsyncable { file: real, is_writable }), Arc::clone(term.held()));
            let winner = is_followed.then(|| successor(folder.path()));
            file.append(b"as a whole").and_then(|()| file.sync()).unwrap_err();
            let read = fs::read_to_string(&path).unwrap();
            let expected = if winner.is_some() { format!("kept, {left}") } else { "kept, ".to_owned() };
            assert_eq!(read, expected, "followed: {is_followed}");
        }
    }
}

#[tokio::test]
async fn after_letting_go_nothing_is_written() {
    let folder = folder();
    let term = Term::take(folder.path()).unwrap();
    let ledger = opened(&term);
    ledger.append(Stream::Audit, vec![draft(1)], crate::tests::nothing()).await.unwrap();
    term.let_go();
    let before = fs::read(folder.path().join("ledger/audit/000001.jsonl")).unwrap();
    assert!(matches!(
        ledger.append(Stream::Audit, vec![draft(2)], crate::tests::nothing()).await,
        Err(LedgerError::Unavailable(_))
    ));
    assert_eq!(fs::read(folder.path().join("ledger/audit/000001.jsonl")).unwrap(), before);
    assert_eq!(Term::take(folder.path()).unwrap().before(), Before::LetGo);
}

mod futures_now {
    //! Whether a future has ended.

    use std::{future::Future, time::Duration};

    /// What it gives, unless it waits.
    pub(super) async fn now_or_never<T>(future: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(Duration::ZERO, future).await.ok()
    }
}
