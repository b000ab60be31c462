//! Searching the past: pages of a month, a year in one piece, and the board meanwhile.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::{
    figures::{at, line},
    pages::Pages,
    past::{self, BEGINS, LASTS_SECONDS},
    server::Server,
};

/// How many pages of a month are asked for.
const PAGES: u64 = 200;

/// How many checks and unchecks are measured without a search, and with some.
const CHECKS: usize = 400;

/// How many searches go on meanwhile: as many as the server lets.
const SEARCHES: usize = 2;

/// Nobody asks the index whether it is whole; it is once a search for nobody is
/// done within this, and at the latest after so many of them.
const NOTHING_FOUND_WITHIN: Duration = Duration::from_millis(50);
const SEARCHES_FOR_NOBODY: usize = 200;

/// Measures, and prints what came out.
pub async fn measure(program: &Path, sessions: u64) -> Result<()> {
    println!("{sessions} ended sessions are written");
    let begun = Instant::now();
    let server = Server::start(program, |data| past::write(data, sessions)).await?;
    println!("written, and the server answers, after {:.1} s", begun.elapsed().as_secs_f64());
    let searcher = Arc::new(Searcher::of(&server)?);
    let begun = Instant::now();
    for _ in 0..SEARCHES_FOR_NOBODY {
        if searcher.ask("user=nobody").await?.0 < NOTHING_FOUND_WITHIN {
            break;
        }
    }
    println!("the index is whole after {:.1} s more", begun.elapsed().as_secs_f64());
    pages_of_months(&searcher).await?;
    year_in_one_piece(&server, &searcher, sessions).await?;
    board_meanwhile(&server, &searcher).await
}

async fn pages_of_months(searcher: &Searcher) -> Result<()> {
    for (what, more) in
        [("a page of a month", ""), ("the same, of one user on one main", "&user=user%203&main=main%209")]
    {
        let mut times = Vec::new();
        for number in 0..PAGES {
            let from = LASTS_SECONDS / 12 * (number * 5 % 11);
            let (from, to) = (moment(from)?, moment(from + LASTS_SECONDS / 12)?);
            let (took, body) = searcher.ask(&format!("from={from}&to={to}{more}")).await?;
            ensure!(body.contains("ended_at"), "nothing was found: {body}");
            times.push(took);
        }
        print(what, &times)?;
    }
    Ok(())
}

async fn year_in_one_piece(server: &Server, searcher: &Searcher, sessions: u64) -> Result<()> {
    let before = server.peak_memory()?;
    let begun = Instant::now();
    let (rows, bytes) = searcher.takes_all("csv").await?;
    let took = begun.elapsed().as_secs_f64();
    ensure!(rows == sessions + 1, "{rows} lines of {sessions} sessions");
    let [before, after] = [before, server.peak_memory()?].map(|bytes| bytes as f64 / 1e6);
    println!("the year as CSV: {bytes} bytes in {took:.1} s; most memory {before:.0} MB before, {after:.0} MB behind");
    Ok(())
}

async fn board_meanwhile(server: &Server, searcher: &Arc<Searcher>) -> Result<()> {
    let mut pages = Pages::open(server, 10).await?;
    let alone = checks(&mut pages).await?;
    print("check to its acknowledgement", &alone)?;
    let searches: Vec<_> = (0..SEARCHES)
        .map(|_| {
            let searcher = Arc::clone(searcher);
            tokio::spawn(async move { while searcher.takes_all("ndjson").await.is_ok() {} })
        })
        .collect();
    let meanwhile = checks(&mut pages).await?;
    searches.iter().for_each(tokio::task::JoinHandle::abort);
    print("the same beside two searches", &meanwhile)?;
    let ratio = |percent| {
        let [one, other] = [&alone, &meanwhile].map(|times| {
            let mut times = times.clone();
            times.sort();
            at(&times, percent).as_secs_f64()
        });
        other / one
    };
    println!("beside two searches to alone: median {:.2}, p99 {:.2}", ratio(50), ratio(99));
    Ok(())
}

async fn checks(pages: &mut Pages) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for _ in 0..CHECKS {
        let asked = Instant::now();
        pages.toggle().await?;
        times.push(pages.all_have_it(asked).await?.acknowledged);
    }
    Ok(times)
}

fn moment(second: u64) -> Result<Timestamp> {
    Ok(BEGINS.parse::<Timestamp>()? + SignedDuration::from_secs(second as i64))
}

fn print(what: &str, times: &[Duration]) -> Result<()> {
    let mut text = String::new();
    line(&mut text, what, times)?;
    print!("{text}");
    Ok(())
}

/// An auditor's program.
struct Searcher {
    client: reqwest::Client,
    address: String,
    token: String,
}

impl Searcher {
    fn of(server: &Server) -> Result<Searcher> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Searcher { client, address: server.address.clone(), token: server.token.clone() })
    }

    async fn ask(&self, query: &str) -> Result<(Duration, String)> {
        let begun = Instant::now();
        let body = self.answer(query).await?.text().await?;
        Ok((begun.elapsed(), body))
    }

    /// How many lines and bytes all sessions are.
    async fn takes_all(&self, format: &str) -> Result<(u64, u64)> {
        let mut answer = self.answer(&format!("format={format}")).await?;
        let (mut lines, mut bytes) = (0, 0);
        while let Some(chunk) = answer.chunk().await? {
            bytes += chunk.len() as u64;
            lines += chunk.iter().filter(|&&byte| byte == b'\n').count() as u64;
        }
        Ok((lines, bytes))
    }

    async fn answer(&self, query: &str) -> Result<reqwest::Response> {
        let request = self.client.get(format!("http://{}/api/v1/sessions?{query}", self.address));
        Ok(request.bearer_auth(&self.token).send().await?.error_for_status()?)
    }
}
