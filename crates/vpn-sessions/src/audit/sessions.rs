//! The sessions of a ledger that is only read, as commands walk through them.

use std::{collections::BTreeMap, io, path::Path};

use anyhow::{Context, bail};
use app::ports::Ledger;
use clap::ArgMatches;
use domain::{
    board::BoardFact,
    history::{
        Entry, Filter,
        times::{Day, read_time},
    },
    names::{LineName, UserName},
    record::Stream,
    session::{Session, SessionId},
};

use crate::config::Config;

/// How many records are read at once.
const PAGE: usize = 4_096;

/// What the arguments look for.
pub(super) fn filter(matches: &ArgMatches, config: &Config) -> anyhow::Result<Filter> {
    let given = |name: &str| matches.get_one::<String>(name).map(|text| text.trim().to_owned());
    let time = |name: &str, day| {
        let read = |text: String| read_time(&text, &config.timezone, day).with_context(|| format!("--{name}"));
        given(name).map(read).transpose()
    };
    let (from, to, at) = (time("from", Day::Beginning)?, time("to", Day::End)?, time("at", Day::Refused)?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        bail!("--from is later than --to; exchange them");
    }
    if let Some(user) = given("user") {
        UserName::parse(&user).context("--user")?;
    }
    for name in ["main", "sub"] {
        if let Some(text) = given(name) {
            LineName::parse("the name", &text).with_context(|| format!("--{name}"))?;
        }
    }
    Ok(Filter { from: from.or(at), to: to.or(at), user: given("user"), main: given("main"), sub: given("sub") })
}

/// Shows each session that is meant: oldest end first, then those that run.
///
/// # Errors
/// Where the ledger cannot be read, or it cannot be shown.
pub(super) async fn each(
    folder: &Path,
    filter: &Filter,
    mut show: impl FnMut(&Entry) -> io::Result<()>,
) -> anyhow::Result<()> {
    let ledger = ledger::open_to_read(folder)?;
    let mut running: BTreeMap<SessionId, Session> = BTreeMap::new();
    let mut after = 0;
    loop {
        let records = ledger.read(Stream::Audit, after, PAGE).await?;
        let Some(last) = records.last() else { break };
        after = last.seq;
        for record in &records {
            let fact = record.fact().with_context(|| format!("record {} says something unknown", record.seq))?;
            if let Some(entry) = ended(fact, &mut running)
                && filter.means(&entry)
            {
                show(&entry)?;
            }
        }
    }
    let mut running: Vec<Entry> = running.into_values().map(Entry::Running).collect();
    running.retain(|entry| filter.means(entry));
    running.sort_by(|one, other| other.latest_first(one));
    Ok(running.iter().try_for_each(show)?)
}

/// The session that a fact ends or imports.
fn ended(fact: BoardFact, running: &mut BTreeMap<SessionId, Session>) -> Option<Entry> {
    match fact {
        BoardFact::Checked(session) => {
            running.insert(session.id.clone(), session);
            None
        }
        BoardFact::NoteChanged { session, note, .. } => {
            running.entry(session).and_modify(|session| session.note = note);
            None
        }
        BoardFact::Unchecked(ended) => {
            running.remove(&ended.session.id);
            Some(Entry::Ended(ended))
        }
        BoardFact::Imported(imported) => Some(Entry::Imported(imported)),
        BoardFact::ListTakenUp { .. } => None,
    }
}

/// Nobody reads any further, which is no failure: so do other tools.
pub(super) fn unless_pipe_broke(result: anyhow::Result<()>) -> anyhow::Result<()> {
    let broke = |error: &anyhow::Error| {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        kind == Some(io::ErrorKind::BrokenPipe)
    };
    result.or_else(|error| if broke(&error) { Ok(()) } else { Err(error) })
}
