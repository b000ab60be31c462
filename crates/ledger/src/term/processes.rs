//! Several processes on one data directory that are killed, paused past their
//! term and go on, let go, and overlap: the chains hold, and whatever one of
//! them acknowledged is there, once.
//!
//! A process is this test binary again, told by its environment what to do. It
//! says what it acknowledged in a file of its own.

use std::{
    collections::BTreeMap,
    env, fs,
    hash::{BuildHasher, Hasher, RandomState},
    process::{Child, Command, Stdio},
};

use app::ports::Ledger;
use domain::record::{Draft, Stream};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::*;
use crate::{FileLedger, open_to_read, verify};

/// Everything forty times as quick.
const QUICK: Pace = Pace {
    moves_every: Duration::from_millis(40),
    stands_still_for: Duration::from_millis(250),
    known_for: Duration::from_millis(60),
    waits: Duration::from_millis(90),
    longest_file: 400,
};

const STREAMS: [Stream; 2] = [Stream::Audit, Stream::Relay];

/// Names the data directory to a process.
const FOLDER: &str = "TEST_TERMS_FOLDER";

/// After how many records a process lets go, in its environment.
const RECORDS: &str = "TEST_TERMS_RECORDS";

/// Segments are short, in bytes, so that they are begun often.
const SEGMENT_BYTES: usize = 2_000;

/// How many rounds are played on one data directory.
const ROUNDS_OF_A_GAME: u64 = 25;

/// How many processes want the directory.
const PROCESSES: usize = 3;

#[derive(serde::Serialize)]
struct Noted {
    kind: &'static str,
    body: Value,
}

#[test]
fn a_process() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let records: u64 = env::var(RECORDS).unwrap().parse().unwrap();
    let mut candidate = Candidate::at(&folder, QUICK);
    let term = loop {
        match candidate.look(uptime::awake()).unwrap() {
            Look::Taken(term) => break term,
            Look::Held { .. } => thread::sleep(Duration::from_millis(5)),
        }
    };
    let opened = FileLedger::open_held(&term, "e".into(), jiff::Timestamp::UNIX_EPOCH, SEGMENT_BYTES);
    let (ledger, _) = opened.unwrap_or_else(|error| ends(&error));
    let ledger = Arc::new(ledger);
    let writers = STREAMS.map(|stream| {
        let (ledger, folder) = (Arc::clone(&ledger), folder.clone());
        thread::spawn(move || writes(ledger.as_ref(), stream, &folder, records))
    });
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    drop(term);
}

/// Appends records, and says of each that it was acknowledged.
fn writes(ledger: &FileLedger, stream: Stream, folder: &Path, records: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let said = folder.join(format!("said-{}-{}", stream.name(), std::process::id()));
    fs::write(&said, "").unwrap();
    for number in 0..records {
        let name = format!("{}-{number}", std::process::id());
        let draft = Draft::of(jiff::Timestamp::UNIX_EPOCH, &Noted { kind: "noted", body: json!(name) });
        match runtime.block_on(ledger.append(stream, vec![draft], crate::tests::nothing())) {
            Ok(_) => file::append(&said, format!("{name}\n").as_bytes()).unwrap(),
            Err(error) => ends(&error),
        }
    }
}

/// One that has lost its term ends; nothing else may go wrong.
fn ends(error: &LedgerError) -> ! {
    let is_lost = matches!(error, LedgerError::Conflict(_));
    assert!(is_lost, "{error}");
    std::process::exit(1)
}

/// Numbers that look random and come again with their seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }
}

/// Those who want the directory; none is left behind.
struct Players {
    folder: PathBuf,
    children: Vec<Child>,
}

impl Players {
    fn join(&mut self, dice: &mut Dice) {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "term::processes::a_process", "--nocapture"])
            .env(FOLDER, &self.folder)
            .env(RECORDS, (1 + dice.below(400)).to_string())
            .stdout(Stdio::null())
            .spawn();
        self.children.push(child.unwrap());
    }

    /// Kills one, or pauses it for so long that it may lose its term.
    fn round(&mut self, dice: &mut Dice) {
        for at in (0..self.children.len()).rev() {
            if let Some(status) = self.children[at].try_wait().unwrap() {
                let code = status.code();
                assert!(matches!(code, Some(0 | 1)), "a process ended with {status}");
                self.children.swap_remove(at).wait().unwrap();
            }
        }
        while self.children.len() < PROCESSES {
            self.join(dice);
        }
        thread::sleep(Duration::from_millis(dice.below(120)));
        let chosen = dice.below(PROCESSES as u64) as usize;
        if dice.below(2) == 0 {
            self.children[chosen].kill().unwrap();
            self.children.swap_remove(chosen).wait().unwrap();
            return;
        }
        let pid = Pid::from_child(&self.children[chosen]);
        kill_process(pid, Signal::STOP).unwrap();
        thread::sleep(Duration::from_millis(dice.below(700)));
        kill_process(pid, Signal::CONT).unwrap();
    }
}

impl Drop for Players {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What was acknowledged on a stream.
fn said(folder: &Path, stream: Stream) -> Vec<String> {
    let prefix = format!("said-{}-", stream.name());
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let said = entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix));
    let lines = said.flat_map(|path| {
        let text = fs::read_to_string(path).unwrap();
        text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect::<Vec<_>>()
    });
    lines.collect()
}

/// How often each record is there.
async fn kept(folder: &Path, stream: Stream) -> BTreeMap<String, usize> {
    let records = open_to_read(folder).unwrap().read(stream, 0, usize::MAX).await.unwrap();
    let mut kept = BTreeMap::new();
    for record in records {
        *kept.entry(record.body.as_str().unwrap().to_owned()).or_default() += 1;
    }
    kept
}

async fn is_as_acknowledged(folder: &Path) -> usize {
    for (stream, proof) in verify(folder) {
        assert!(proof.is_ok(), "{}: {proof:?}", stream.name());
    }
    let mut acknowledged = 0;
    for stream in STREAMS {
        let kept = kept(folder, stream).await;
        assert!(kept.values().all(|times| *times == 1), "{}: a record is there twice", stream.name());
        for name in said(folder, stream) {
            assert!(kept.contains_key(&name), "{}: {name} was acknowledged, and is lost", stream.name());
            acknowledged += 1;
        }
    }
    acknowledged
}

#[tokio::test]
async fn whatever_happens_to_several_processes_nothing_acknowledged_is_lost_or_doubled() {
    let is_long = env::var("VPN_SESSIONS_LONG").is_ok_and(|long| long == "1");
    let seed = env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish()).max(1);
    eprintln!("seed: TEST_SEED={seed}");
    let mut dice = Dice(seed);
    let mut rounds = if is_long { 1_000 } else { 15 };
    let mut acknowledged = 0;
    while rounds > 0 {
        let folder = tempfile::tempdir().unwrap();
        let mut players = Players { folder: folder.path().to_owned(), children: Vec::new() };
        for _ in 0..ROUNDS_OF_A_GAME.min(rounds) {
            players.round(&mut dice);
        }
        rounds -= ROUNDS_OF_A_GAME.min(rounds);
        drop(players);
        acknowledged += is_as_acknowledged(folder.path()).await;
    }
    eprintln!("{acknowledged} records were acknowledged, and are there once");
    assert!(acknowledged > 0);
}
