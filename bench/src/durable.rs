//! Durable checks and unchecks a second, beside what the disk can do.
//!
//! The board as the server runs it, on a ledger on a real disk, asked by so many callers at once; then, in the same
//! round, a bare loop that does the same number of appends and syncs of the same length to a file beside it and
//! nothing else. The figure to trust is the ratio of the two, by round.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use app::{board::Board, findings::Findings, ports::Clock, store::World};
use domain::{
    account::{Actor, Role},
    board::{BoardCommand, Check, ReportZone, TakeOver, Target},
    connection::{ConnectionId, ConnectionList},
    list_file::read_connections,
    names::{Note, UserName},
    record::Stream,
    session::Source,
};
use jiff::tz::TimeZone;
use ledger::{FileLedger, Term};
use outbound::{SystemClock, SystemEntropy};
use tokio::sync::broadcast::error::RecvError;

use crate::figures;

/// What is measured.
#[derive(Clone, Copy, clap::Args)]
pub struct Durable {
    /// How many callers ask at once; each checks, waits, unchecks, waits.
    #[arg(long, default_value_t = 64)]
    callers: usize,
    /// How many checks and unchecks a round has.
    #[arg(long, default_value_t = 20_000)]
    commands: usize,
    /// How many rounds are measured.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
}

/// What one round came to.
struct Round {
    commands: usize,
    appends: u64,
    product: Duration,
    bare: Duration,
    /// From a command to its acknowledgement, each.
    waits: Vec<Duration>,
    bare_waits: Vec<Duration>,
}

/// Measures, and prints the figures. The folder is on the disk that is meant.
///
/// # Errors
/// Where the disk or the board refuses.
pub async fn measure(what: Durable, folder: &Path) -> Result<()> {
    let board = TheBoard::open(folder, what.callers).await?;
    let mut rounds = Vec::new();
    for round in 0..=what.rounds {
        let measured = board.round(what, folder).await?;
        // The first one warms up.
        if round > 0 {
            rounds.push(measured);
        }
    }
    report(what, &rounds);
    Ok(())
}

struct TheBoard {
    board: Arc<Board>,
    commits: Arc<AtomicU64>,
    stream: std::path::PathBuf,
    callers: Vec<(Actor, ConnectionId)>,
    _term: Term,
}

impl TheBoard {
    async fn open(folder: &Path, callers: usize) -> Result<TheBoard> {
        let data = folder.join("data");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let term = Term::take(&data)?;
        let (ledger, _) = FileLedger::open(&term, "bench".into(), clock.now())?;
        let findings = Arc::new(Findings::new(Arc::clone(&clock)));
        let world = World { ledger: Arc::new(ledger), clock, entropy: Arc::new(SystemEntropy), findings };
        let zone = ReportZone { name: "UTC".into(), rules: TimeZone::UTC };
        let board = Arc::new(Board::open(world, list_for(callers)?, zone).await?);
        let commits = counted_commits(&board);
        let callers = (0..callers).map(caller).collect::<Result<_>>()?;
        Ok(TheBoard { board, commits, stream: data.join("ledger").join(Stream::Audit.name()), callers, _term: term })
    }

    async fn round(&self, what: Durable, folder: &Path) -> Result<Round> {
        let (bytes_before, appends_before) = (length_of(&self.stream)?, self.commits.load(Ordering::SeqCst));
        let each = what.commands / what.callers / 2;
        let began = Instant::now();
        let asked = self.callers.iter().cloned().map(|(actor, connection)| {
            let board = Arc::clone(&self.board);
            tokio::spawn(async move { ask(&board, &actor, &connection, each).await })
        });
        let mut waits = Vec::with_capacity(what.commands);
        for caller in asked.collect::<Vec<_>>() {
            waits.extend(caller.await??);
        }
        let product = began.elapsed();
        let appends = self.commits.load(Ordering::SeqCst) - appends_before;
        let bytes = length_of(&self.stream)? - bytes_before;
        let path = folder.join("bare");
        let bare_waits = tokio::task::spawn_blocking(move || bare(&path, appends, bytes)).await??;
        Ok(Round { commands: waits.len(), appends, product, bare: bare_waits.iter().sum(), waits, bare_waits })
    }
}

async fn ask(board: &Board, actor: &Actor, connection: &ConnectionId, times: usize) -> Result<Vec<Duration>> {
    let mut waits = Vec::with_capacity(2 * times);
    for _ in 0..times {
        let check = Check {
            connection: connection.clone(),
            note: Note::parse("a note as people write them")?,
            source: Source::Api,
            take_over: TakeOver::No,
        };
        let uncheck = BoardCommand::Uncheck { target: Target::Connection(connection.clone()) };
        for command in [BoardCommand::Check(check), uncheck] {
            let asked = Instant::now();
            let outcome = board.execute(actor.clone(), command).await;
            ensure!(outcome.is_ok(), "the board refuses: {outcome:?}");
            waits.push(asked.elapsed());
        }
    }
    Ok(waits)
}

/// As many appends and syncs, of that many bytes in all.
fn bare(path: &Path, appends: u64, bytes: u64) -> Result<Vec<Duration>> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let block = vec![b'x'; usize::try_from(bytes / appends.max(1))?];
    let mut waits = Vec::with_capacity(usize::try_from(appends)?);
    for _ in 0..appends {
        let asked = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        waits.push(asked.elapsed());
    }
    fs::remove_file(path)?;
    Ok(waits)
}

fn report(what: Durable, rounds: &[Round]) {
    let ratios = |ratio: fn(&Round) -> f64| figures::spread(rounds.iter().map(ratio).collect());
    let rate = ratios(|round| round.commands as f64 / round.product.as_secs_f64());
    let batch = ratios(|round| round.commands as f64 / round.appends as f64);
    println!("{} callers, {} rounds of {} checks and unchecks", what.callers, rounds.len(), what.commands);
    println!("durable a second           {rate:.0}, in appends of {batch:.1}");
    println!(
        "of what the disk can do    {:.2}",
        ratios(|round| round.bare.as_secs_f64() / round.product.as_secs_f64())
    );
    let waited = |round: &Round| figures::median(&round.waits).as_secs_f64() * 1e6;
    println!("acknowledged within        {:.0} µs (median)", ratios(waited));
    let slower =
        |round: &Round| figures::median(&round.waits).as_secs_f64() / figures::median(&round.bare_waits).as_secs_f64();
    println!("to a bare append and sync  {:.2} x", ratios(slower));
}

fn list_for(callers: usize) -> Result<Arc<ConnectionList>> {
    let lines: Vec<String> = (0..callers).map(|number| format!("main {};sub {number}", number / 10)).collect();
    let list = read_connections(lines.join("\n").as_bytes());
    Ok(Arc::new(list.map_err(|findings| anyhow::anyhow!("{findings:?}"))?))
}

fn caller(number: usize) -> Result<(Actor, ConnectionId)> {
    let user = UserName::parse(&format!("user {number}"))?;
    let connection = ConnectionId::parse(&format!("main {};sub {number}", number / 10))?;
    Ok((Actor { user, role: Role::Member }, connection))
}

fn length_of(folder: &Path) -> Result<u64> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    entries.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

/// Counts what the board commits: each commit is one update of its feed, and one append with its sync.
fn counted_commits(board: &Board) -> Arc<AtomicU64> {
    let (mut feed, commits) = (board.subscribe(), Arc::new(AtomicU64::new(0)));
    let counter = Arc::clone(&commits);
    tokio::spawn(async move {
        loop {
            let more = match feed.recv().await {
                Ok(_) => 1,
                Err(RecvError::Lagged(missed)) => missed,
                Err(RecvError::Closed) => return,
            };
            counter.fetch_add(more, Ordering::SeqCst);
        }
    });
    commits
}
