//! Retention: what is older than it is to be kept is dropped, once a day.

use std::{sync::Arc, time::Duration};

use domain::verification::whole_weeks_before;
use jiff::{SignedDuration, Timestamp};

use crate::{
    access::AccessLog,
    board::Board,
    findings::Findings,
    ports::{Clock, LedgerError},
    relay::Relay,
    reports::Reports,
};

/// How often what is old is dropped.
pub const EVERY: SignedDuration = SignedDuration::from_hours(24);

/// How often it is looked whether that time is over: clocks may be set, and
/// timers sleep through a suspension.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// How many days things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// What happened on the board; for good where there are none.
    pub audit: Option<u32>,
    /// Sign-ins, reads and settings.
    pub access: u32,
    /// Messages, from their end on.
    pub relay: u32,
}

/// What retention works on.
pub struct Kept<'a> {
    /// The stream `audit`.
    pub board: &'a Board,
    /// What `audit` was brought to before it goes.
    pub reports: &'a Reports,
    /// The stream `access`.
    pub access: &'a AccessLog,
    /// The stream `relay`.
    pub relay: &'a Relay,
    /// Who is told that something could not be dropped.
    pub findings: &'a Findings,
}

/// Drops what is old at once and then once a day, for ever.
pub async fn keep_to(days: Days, clock: Arc<dyn Clock>, kept: Kept<'_>) {
    let mut last: Option<Timestamp> = None;
    loop {
        let now = clock.now();
        // A clock that was set back is no reason to wait longer.
        if last.is_none_or(|last| now.duration_since(last).abs() >= EVERY) {
            kept.drop_old(days, now).await;
            last = Some(now);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Kept<'_> {
    /// Drops what is old once; what fails is a finding, and is tried again.
    pub async fn drop_old(&self, days: Days, now: Timestamp) {
        let before = |days: u32| now - SignedDuration::from_hours(24 * i64::from(days));
        let audit = match days.audit {
            Some(days) => self.drop_audit(whole_weeks_before(before(days), now)).await,
            None => Ok(false),
        };
        let access = self.access.drop_before(before(days.access)).await;
        let relay = self.relay.drop_before(before(days.relay)).await;
        let mut failed = None;
        for (stream, dropped) in [("audit", audit), ("access", access), ("relay", relay)] {
            match dropped {
                Ok(true) => tracing::info!(stream, "Old segments were dropped, as the retention settings say"),
                Ok(false) => {}
                Err(error) => failed = Some(format!("{stream}: {error}")),
            }
        }
        match failed {
            None => self.findings.ends("ledger", "retention"),
            Some(problem) => {
                let detail = format!("what is old could not be dropped, and is tried again tomorrow: {problem}");
                self.findings.begins("ledger", "retention", detail, false);
            }
        }
    }

    /// What is not on the share yet is never dropped.
    async fn drop_audit(&self, cutoff: Timestamp) -> Result<bool, LedgerError> {
        let drop_written = async |whole_to: Option<u64>| match whole_to {
            None => {
                let detail = "the audit is kept longer than RETENTION_AUDIT_DAYS, until the weekly reports are whole on \
                              the share; see that AUDIT_DIR can be used";
                self.findings.begins("ledger", "retention_waits", detail.into(), false);
                Ok(false)
            }
            Some(whole_to) => {
                self.findings.ends("ledger", "retention_waits");
                self.board.drop_before(cutoff, whole_to).await
            }
        };
        self.reports.while_whole(drop_written).await
    }
}
