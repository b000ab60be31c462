//! What the ledger tells those who verify; what follows from it is decided in
//! [`domain::verification`].

use domain::{
    history::Entry,
    record::{Head, LineError, Record, Stream},
    report::LedgerRow,
    verification::{Standing, Told, last_week_gone},
};

use jiff::Timestamp;

use crate::{
    ports::{Ledger, LedgerError},
    store::ReplayError,
};

/// How many records are read at once.
const PAGE: usize = 8_192;

/// What the ledger tells: the rows of each week, and of each of those records
/// whether it is there. Read the share before, so that the ledger is no older.
///
/// # Errors
/// [`ReplayError`].
pub async fn told(ledger: &dyn Ledger, heads: &[(Stream, Head)], now: Timestamp) -> Result<Told, ReplayError> {
    let dropped = ledger.dropped(Stream::Audit).await?;
    let gone = dropped.map(|dropped| last_week_gone(dropped.latest, now));
    let mut told = Told { gone, ..Told::default() };
    let mut after = 0;
    loop {
        let records = ledger.read(Stream::Audit, after, PAGE).await?;
        let Some(last) = records.last() else { break };
        (after, told.last_seq) = (last.seq, last.seq);
        for record in &records {
            take(&mut told, record, heads).map_err(|error| ReplayError::Unknown {
                stream: Stream::Audit.name(),
                seq: record.seq,
                error,
            })?;
        }
    }
    let dropped_seq = dropped.map_or(0, |dropped| dropped.to_seq);
    let elsewhere = |stream: Stream, head: Head| stream != Stream::Audit || head.seq <= dropped_seq;
    for &(stream, head) in heads.iter().filter(|(stream, head)| elsewhere(*stream, *head)) {
        let stands = standing(ledger, stream, head).await?;
        told.standings.insert((stream, head.seq, head.hash), stands);
    }
    Ok(told)
}

fn take(told: &mut Told, record: &Record, heads: &[(Stream, Head)]) -> Result<(), LineError> {
    let asked = heads.iter().filter(|(stream, head)| *stream == Stream::Audit && head.seq == record.seq);
    for (stream, head) in asked {
        let stands = if head.hash == record.hash { Standing::There } else { Standing::Another };
        told.standings.insert((*stream, head.seq, head.hash), stands);
    }
    match Entry::of_record(record)? {
        Some(Entry::Ended(ended)) if told.gone.is_none_or(|gone| ended.week > gone) => {
            told.weeks.entry(ended.week).or_default().push(LedgerRow::of(record.seq, &ended));
        }
        Some(Entry::Imported(imported)) if imported.is_of_a_report() => {
            let hash = imported.line_hash();
            told.imported.insert(imported.id, hash);
        }
        Some(Entry::Running(_) | Entry::Ended(_) | Entry::Imported(_)) | None => {}
    }
    Ok(())
}

/// Whether the ledger has the last record that something signed speaks of.
///
/// # Errors
/// [`LedgerError`] where it cannot be read.
pub async fn standing(ledger: &dyn Ledger, stream: Stream, head: Head) -> Result<Standing, LedgerError> {
    if ledger.dropped(stream).await?.is_some_and(|dropped| head.seq <= dropped.to_seq) {
        return Ok(Standing::Dropped);
    }
    let records = ledger.read(stream, head.seq.saturating_sub(1), 1).await?;
    Ok(match records.first() {
        Some(record) if record.seq == head.seq && record.hash == head.hash => Standing::There,
        Some(record) if record.seq == head.seq => Standing::Another,
        // Of a stream that is not kept for good, the oldest segments go.
        Some(_) if stream != Stream::Audit => Standing::Dropped,
        Some(_) | None => Standing::Missing,
    })
}
