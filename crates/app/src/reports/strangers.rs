//! Rows on the share that the ledger does not know: of a data directory that
//! was lost, or of somebody who wrote them by hand.

use std::collections::{BTreeMap, BTreeSet};

use domain::{report, session::EndedSession, week::Week};

use crate::ports::{ReportFile, ShareError};

use super::{Reports, locked};

/// How many files the finding names; the others are counted.
const NAMED: usize = 5;

impl Reports {
    /// Looks at the reports of weeks that the ledger has nothing of, once for
    /// each length and time that they have, and tells of all strange rows.
    pub(super) async fn look_for_strangers(&self, files: &BTreeMap<String, ReportFile>) -> Result<(), ShareError> {
        let mut first_error = Ok(());
        for file in files.values() {
            let Some(week) = Week::of_file_name(&file.name) else { continue };
            if self.lock().state(week).is_some() || self.is_counted(week, file) {
                continue;
            }
            match self.patiently(self.share.read(&file.name)).await {
                Ok(content) => {
                    let rows = strange_rows(&content.unwrap_or_default(), &[]);
                    locked(&self.strangers).insert(week, (file.clone(), rows));
                }
                Err(error) => first_error = first_error.and(Err(error)),
            }
        }
        locked(&self.strangers).retain(|week, _| files.contains_key(&week.file_name()));
        self.tell_strangers();
        first_error
    }

    /// How many rows of a file of that length are of no session of its week.
    pub(super) fn note_strangers(&self, week: Week, bytes: u64, rows: usize) {
        let file = ReportFile { name: week.file_name(), bytes, modified: None };
        locked(&self.strangers).insert(week, (file, rows));
    }

    pub(super) fn has_no_strangers(&self, week: Week) {
        locked(&self.strangers).remove(&week);
    }

    fn is_counted(&self, week: Week, file: &ReportFile) -> bool {
        locked(&self.strangers).get(&week).is_some_and(|(seen, _)| seen == file)
    }

    fn tell_strangers(&self) {
        let strangers = locked(&self.strangers);
        let files: Vec<String> = strangers
            .values()
            .filter(|(_, rows)| *rows > 0)
            .map(|(file, rows)| format!("{} ({rows})", file.name))
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

/// How many lines name a session that is none of those.
pub(super) fn strange_rows(content: &[u8], sessions: &[EndedSession]) -> usize {
    let known: BTreeSet<&[u8]> = sessions.iter().map(|ended| ended.session.id.as_str().as_bytes()).collect();
    let ids = content.split(|&byte| byte == b'\n').filter_map(report::session_of);
    ids.filter(|id| !known.contains(id)).count()
}
