//! Measures the time from a check to the last of all pages having it; with `durable`, what is kept a second beside what
//! the disk can do; and with `search`, searches of the past.
//!
//! The real server on a real disk, real sockets over loopback, and beside it in the same run the bare limit: a process
//! that does nothing but write the same frame to as many sockets. Rounds of both alternate, so that what the machine
//! does meanwhile happens to both; the figure to trust is the ratio.
//!
//! Read [`server`] (the product), [`floor`] (the limit), [`pages`] (who reads), then [`figures`]; [`durable`]; [`past`] and
//! [`search`].

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use tokio::time::Instant;

use crate::{figures::Figures, floor::Floor, pages::Pages, server::Server};

mod durable;
mod figures;
mod floor;
mod pages;
mod past;
mod search;
mod server;

/// Time from a check to the last of all pages having it.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// How many pages are open.
    #[arg(long, default_value_t = 1_000)]
    pages: usize,
    /// How many checks and unchecks are measured.
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// The program; without one, the release build beside this one.
    #[arg(long, global = true)]
    program: Option<PathBuf>,
    /// Another measurement.
    #[command(subcommand)]
    other: Option<Other>,
    /// Be the process that writes a frame of so many bytes to all who connect.
    #[arg(long, hide = true, value_name = "BYTES")]
    be_floor: Option<usize>,
}

/// What else is measured.
#[derive(clap::Subcommand)]
enum Other {
    /// Searching ended sessions, and the board meanwhile.
    Search {
        /// How many sessions have ended.
        #[arg(long, default_value_t = 1_000_000)]
        sessions: u64,
    },
    /// Durable checks and unchecks a second, beside what the disk can do.
    Durable {
        #[command(flatten)]
        what: durable::Durable,
        /// Where to write; on the disk that is meant.
        #[arg(long, default_value = ".")]
        folder: PathBuf,
    },
}

/// Rounds before the measuring begins.
const WARM_UP: usize = 20;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(bytes) = arguments.be_floor {
        return floor::serve(bytes);
    }
    let runtime = tokio::runtime::Runtime::new()?;
    match &arguments.other {
        None => runtime.block_on(measure(&arguments)),
        Some(Other::Search { sessions }) => runtime.block_on(search::measure(&arguments.program()?, *sessions)),
        Some(Other::Durable { what, folder }) => {
            let own = tempfile::tempdir_in(folder)?;
            runtime.block_on(durable::measure(*what, own.path()))
        }
    }
}

impl Arguments {
    fn program(&self) -> Result<PathBuf> {
        let beside = std::env::current_exe()?.with_file_name("vpn-sessions");
        Ok(self.program.clone().unwrap_or(beside))
    }
}

async fn measure(arguments: &Arguments) -> Result<()> {
    let (own, program) = (std::env::current_exe()?, arguments.program()?);
    let server =
        Server::start(&program, |_| Ok(())).await.with_context(|| format!("{} does not serve", program.display()))?;
    let mut pages = Pages::open(&server, arguments.pages).await?;
    let mut floor = Floor::start(&own, arguments.pages, pages.frame_bytes()).await?;
    let mut figures = Figures::default();
    for round in 0..WARM_UP + arguments.rounds {
        let asked = Instant::now();
        pages.toggle().await?;
        let product = pages.all_have_it(asked).await?;
        let bare = floor.round().await?;
        if round >= WARM_UP {
            figures.add(product, bare);
        }
    }
    println!("{} pages, {} rounds, frame of {} bytes", arguments.pages, arguments.rounds, pages.frame_bytes());
    print!("{figures}");
    Ok(())
}
