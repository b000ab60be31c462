//! Reports for those who read them: from the share, or from the ledger while
//! the share is away.

use std::collections::BTreeMap;

use domain::{report, week::Week};
use jiff::Timestamp;

use crate::ports::{ReportFile, ShareError};

use super::{Reports, locked, once_each, patience::briefly};

/// A weekly report, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its week; its name follows from it.
    pub week: Week,
    /// How many sessions it holds.
    pub rows: usize,
    /// Its length in bytes.
    pub bytes: u64,
    /// When its file was last written; `None` while it is not on the share.
    pub modified: Option<Timestamp>,
}

impl Reports {
    /// All reports, latest first.
    ///
    /// # Errors
    /// [`ShareError::Unavailable`] where neither share nor ledger can be read.
    pub async fn list(&self) -> Result<Vec<Report>, ShareError> {
        let mut reports = BTreeMap::new();
        let listed = briefly(self.share.list()).await;
        if listed.is_err() {
            self.follow_ledger().await;
        }
        for file in listed.unwrap_or_default() {
            let Some(week) = Week::of_file_name(&file.name) else { continue };
            let known = self.lock().state(week).map_or(0, |state| state.rows);
            // One file that cannot be read does not hide the others.
            let rows = self.count_rows(week, &file).await.unwrap_or(known);
            reports.insert(week, Report { week, rows, bytes: file.bytes, modified: file.modified });
        }
        let (_, _, weeks) = self.lock().states();
        let weeks: Vec<Week> = weeks.into_iter().map(|(week, _)| week).collect();
        for week in weeks.into_iter().filter(|week| !reports.contains_key(week)).collect::<Vec<_>>() {
            let content = self.rendered(week).await?.unwrap_or_default();
            let rows = self.lock().state(week).map_or(0, |state| state.rows);
            reports.insert(week, Report { week, rows, bytes: content.len() as u64, modified: None });
        }
        Ok(reports.into_values().rev().collect())
    }

    /// A report's bytes; `None` where there is none of that week.
    ///
    /// # Errors
    /// [`ShareError::Unavailable`] where neither share nor ledger can be read.
    pub async fn read(&self, week: Week) -> Result<Option<Vec<u8>>, ShareError> {
        match briefly(self.share.read(&week.file_name())).await {
            Ok(Some(content)) => Ok(Some(content)),
            Ok(None) | Err(ShareError::Unavailable(_) | ShareError::Changed) => {
                self.follow_ledger().await;
                self.rendered(week).await
            }
        }
    }

    async fn rendered(&self, week: Week) -> Result<Option<Vec<u8>>, ShareError> {
        let Some(state) = self.lock().state(week).cloned() else { return Ok(None) };
        let sessions = once_each(self.ended(week, state.first_seq - 1, state.last_seq).await?);
        Ok(Some(report::opening().into_iter().chain(sessions.iter().flat_map(report::row)).collect()))
    }

    /// Known for what we wrote; a file of others is counted once for each
    /// length and time that it has.
    async fn count_rows(&self, week: Week, file: &ReportFile) -> Result<usize, ShareError> {
        if let Some(rows) = self.lock().state(week).and_then(|state| state.rows_of(file)) {
            return Ok(rows);
        }
        let counted = locked(&self.counted).get(&file.name).cloned();
        if let Some((seen, rows)) = counted
            && seen == *file
        {
            return Ok(rows);
        }
        let content = briefly(self.share.read(&file.name)).await?.unwrap_or_default();
        let rows = report::read_rows(&content).len().saturating_sub(1);
        let mut counted = locked(&self.counted);
        counted.insert(file.name.clone(), (file.clone(), rows));
        Ok(rows)
    }
}
