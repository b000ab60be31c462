//! Rows on the share that the ledger does not know: of a data directory that
//! was lost, or of somebody who wrote them by hand.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    report,
    session::{EndedSession, SessionId},
    week::Week,
};

use crate::ports::{ReportFile, ShareError};

use super::{Reports, locked};

/// How many files the finding names; the others are counted.
const NAMED: usize = 5;

/// How many rows of a report are strange.
pub(super) struct Counted {
    file: ReportFile,
    rows: usize,
    /// How many sessions had been taken over from reports by then.
    imported: usize,
}

impl Reports {
    /// Looks at the reports of weeks that the ledger has nothing of, once for
    /// each length and time that they have, and tells of all strange rows.
    pub(super) async fn look_for_strangers(&self, files: &BTreeMap<String, ReportFile>) -> Result<(), ShareError> {
        let imported = self.lock().imported();
        let weeks = files.values().filter_map(|file| Week::of_file_name(&file.name));
        let unknown = weeks.filter(|week| self.lock().state(*week).is_none()).count();
        let gone = match unknown {
            0 => None,
            _ => self.gone().await.map_err(|error| ShareError::Unavailable(error.to_string()))?,
        };
        // Of weeks that retention took, the ledger cannot know the rows.
        let is_gone = |week: Week| gone.is_some_and(|gone| week <= gone);
        let mut first_error = Ok(());
        for file in files.values() {
            let Some(week) = Week::of_file_name(&file.name) else { continue };
            if is_gone(week)
                || self.lock().state(week).is_some()
                || (self.is_counted(week, file) && !self.may_be_known_now(week))
            {
                continue;
            }
            match self.patiently(self.share.read(&file.name)).await {
                Ok(content) => {
                    let rows = strange_rows(&content.unwrap_or_default(), &[], &imported);
                    let counted = Counted { file: file.clone(), rows, imported: imported.len() };
                    locked(&self.strangers).insert(week, counted);
                }
                Err(error) => first_error = first_error.and(Err(error)),
            }
        }
        locked(&self.strangers).retain(|week, _| files.contains_key(&week.file_name()) && !is_gone(*week));
        self.tell_strangers();
        first_error
    }

    /// How many rows of a file of that length are of no session of its week.
    pub(super) fn note_strangers(&self, week: Week, bytes: u64, rows: usize, imported: usize) {
        let file = ReportFile { name: week.file_name(), bytes, modified: None };
        locked(&self.strangers).insert(week, Counted { file, rows, imported });
    }

    pub(super) fn has_no_strangers(&self, week: Week) {
        locked(&self.strangers).remove(&week);
    }

    fn is_counted(&self, week: Week, file: &ReportFile) -> bool {
        locked(&self.strangers).get(&week).is_some_and(|seen| seen.file == *file)
    }

    /// Whether a week has strange rows, and sessions were taken over since they were counted.
    pub(super) fn may_be_known_now(&self, week: Week) -> bool {
        let imported = self.lock().imported().len();
        locked(&self.strangers).get(&week).is_some_and(|seen| seen.rows > 0 && seen.imported < imported)
    }

    fn tell_strangers(&self) {
        let strangers = locked(&self.strangers);
        let files: Vec<String> = strangers
            .values()
            .filter(|seen| seen.rows > 0)
            .map(|seen| format!("{} ({})", seen.file.name, seen.rows))
            .collect();
        drop(strangers);
        if files.is_empty() {
            return self.findings.ends("share", "reports_unknown");
        }
        let more = files.len().saturating_sub(NAMED);
        let others = if more > 0 { format!(" and {more} other files") } else { String::new() };
        let detail = format!(
            "reports hold rows of sessions that DATA_DIR does not know, as if it had been lost: {}{others}. They are \
             kept. Put DATA_DIR back from a backup, bring them in with `vpn-sessions audit import`, or move the files \
             elsewhere",
            files[..files.len().min(NAMED)].join(", ")
        );
        self.findings.begins("share", "reports_unknown", detail, false);
    }
}

/// How many lines name a session that is none of those and was not taken over.
pub(super) fn strange_rows(content: &[u8], sessions: &[EndedSession], imported: &BTreeSet<SessionId>) -> usize {
    let known: BTreeSet<&[u8]> = sessions.iter().map(|ended| ended.session.id.as_str().as_bytes()).collect();
    let ids = content.split(|&byte| byte == b'\n').filter_map(report::session_of);
    let is_imported = |id: &[u8]| imported.contains(&SessionId::named(&String::from_utf8_lossy(id)));
    ids.filter(|id| !known.contains(id) && !is_imported(id)).count()
}
