//! A line's cells as a session, or why it is none.

use jiff::{SignedDuration, Timestamp};

use super::{
    Column, EndedBy, ImportedSession, LineName, MAX_ROW_BYTES, NameError, Note, Origin, SessionId, SessionKey,
    UserName, moments,
};
use crate::connection::ConnectionId;

/// How far a duration may be from what the times say, before it is said:
/// other tools round to minutes.
const DURATIONS_AGREE_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// Why a row is skipped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RowRefusal {
    #[error("{0} is missing")]
    Missing(Column),
    #[error("it has no end: the session had not ended when the file was written")]
    NotEnded,
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(
        "{column} {text:?} is no time; write 2026-11-24T09:30:00Z, 2026-11-24 09:30:00, 24.11.2026 09:30 or Unix seconds"
    )]
    NoTime { column: Column, text: String },
    #[error("the session ends before it begins")]
    EndsBeforeItBegins,
    #[error("the session ends in the future")]
    EndsInTheFuture,
    #[error("the row has more than {MAX_ROW_BYTES} bytes")]
    TooLong,
}

struct Cells<'a> {
    cells: &'a [String],
    columns: &'a [Column],
}

/// A row's session, whose file and line are still to be said, and what is to
/// be said of it.
pub(super) fn session(
    cells: &[String],
    columns: &[Column],
    origin: &Origin,
) -> Result<(ImportedSession, Option<String>), RowRefusal> {
    if cells.iter().map(String::len).sum::<usize>() > MAX_ROW_BYTES {
        return Err(RowRefusal::TooLong);
    }
    let cells = Cells { cells, columns };
    let connection = cells.connection()?;
    let user = UserName::parse(&cells.needed(Column::User)?)?;
    let (since, ended_at, remark) = cells.times(origin)?;
    if ended_at > origin.now {
        return Err(RowRefusal::EndsInTheFuture);
    }
    let ended_by = cells.cell(Column::EndedBy).map(|text| EndedBy::parse(&text)).transpose()?;
    let note = Note::parse(&cells.cell(Column::Note).unwrap_or_default())?;
    let id = cells.cell(Column::SessionId).filter(|id| is_session_id(id)).map(|id| SessionId::named(&id));
    let id = id.unwrap_or_else(|| SessionKey::of(&connection, &user, since, ended_at).id());
    let (file, timezone) = (origin.file.clone(), origin.timezone.clone());
    let (sha256, line, row) = Default::default();
    let session =
        ImportedSession { id, connection, user, since, ended_at, ended_by, note, timezone, file, sha256, line, row };
    Ok((session, remark))
}

impl Cells<'_> {
    /// What stands in a column; `None` where it is empty, or there is no such column.
    fn cell(&self, column: Column) -> Option<String> {
        let at = self.columns.iter().position(|other| *other == column)?;
        let text = plain(self.cells.get(at)?.trim());
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn needed(&self, column: Column) -> Result<String, RowRefusal> {
        self.cell(column).ok_or(RowRefusal::Missing(column))
    }

    fn connection(&self) -> Result<ConnectionId, RowRefusal> {
        if let Some(both) = self.cell(Column::Connection) {
            return Ok(ConnectionId::parse(&both)?);
        }
        if self.columns.contains(&Column::Connection) && !self.columns.contains(&Column::Main) {
            return Err(RowRefusal::Missing(Column::Connection));
        }
        let main = LineName::parse("the main name", &self.needed(Column::Main)?)?;
        Ok(ConnectionId::new(main, LineName::parse("the sub name", &self.needed(Column::Sub)?)?))
    }

    /// When it began and ended, and a word where the file's duration says otherwise.
    fn times(&self, origin: &Origin) -> Result<(Timestamp, Timestamp, Option<String>), RowRefusal> {
        let begins = self.moments(Column::ConnectedAt, origin)?.ok_or(RowRefusal::Missing(Column::ConnectedAt))?;
        let told = self.cell(Column::Duration);
        let lasted = told.as_deref().and_then(moments::duration);
        let ends = self.moments(Column::DisconnectedAt, origin)?;
        let Some(ends) = ends else {
            let lasted = lasted.ok_or(RowRefusal::NotEnded)?;
            let ended_at = begins[0].checked_add(lasted).map_err(|_| RowRefusal::EndsInTheFuture)?;
            return Ok((begins[0], ended_at, None));
        };
        let pairs = begins.iter().flat_map(|&begin| ends.iter().map(move |&end| (begin, end)));
        let pairs: Vec<_> = pairs.filter(|(begin, end)| begin <= end).collect();
        let agree = |(begin, end): &(Timestamp, Timestamp)| {
            lasted.is_some_and(|lasted| (end.duration_since(*begin) - lasted).abs() <= DURATIONS_AGREE_WITHIN)
        };
        let (since, ended_at) =
            *pairs.iter().find(|pair| agree(pair)).or(pairs.first()).ok_or(RowRefusal::EndsBeforeItBegins)?;
        let remark = told.filter(|_| !agree(&(since, ended_at))).map(|told| {
            let seconds = ended_at.duration_since(since).as_secs();
            format!("the duration {told:?} is not the {seconds} s between its times; the times are taken")
        });
        Ok((since, ended_at, remark))
    }

    fn moments(&self, column: Column, origin: &Origin) -> Result<Option<Vec<Timestamp>>, RowRefusal> {
        let Some(text) = self.cell(column) else { return Ok(None) };
        let moments = moments::read(&text, &origin.zone);
        if moments.is_empty() { Err(RowRefusal::NoTime { column, text }) } else { Ok(Some(moments)) }
    }
}

/// A cell without the `'` that keeps spreadsheets from taking it for a formula.
fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        Some(_) | None => cell,
    }
}

/// Whether a text is an id as ours are: 32 hexadecimal digits.
fn is_session_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
