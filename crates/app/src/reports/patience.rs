//! How long a share that hangs is waited for, and when it is said.

use std::{future::Future, pin::pin, sync::atomic::Ordering, time::Duration};

use crate::ports::ShareError;

use super::Reports;

/// A call to the share that takes longer than this is a finding.
const HANGS_AFTER: Duration = Duration::from_millis(2_500);

/// How long the follower waits for one call: long enough for a large report
/// over a slow line, and short enough that one file holds up the others little.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(30);

/// How long somebody who reads a report waits before the ledger gives it.
const READERS_WAIT: Duration = Duration::from_secs(3);

impl Reports {
    /// Waits for a call to the share, and says so when it hangs.
    pub(super) async fn patiently<T>(
        &self,
        call: impl Future<Output = Result<T, ShareError>>,
    ) -> Result<T, ShareError> {
        let mut call = pin!(call);
        if let Ok(done) = tokio::time::timeout(HANGS_AFTER, &mut call).await {
            return done;
        }
        let detail = "weekly reports wait in the ledger, as AUDIT_DIR does not answer; see that the share is mounted";
        self.findings.begins("share", "share_hangs", detail.into(), false);
        tokio::time::timeout(GIVEN_UP_AFTER, call).await.unwrap_or_else(|_| {
            self.hangs.store(true, Ordering::Relaxed);
            Err(silent())
        })
    }
}

/// Waits for a call to the share as long as people do.
pub(super) async fn briefly<T>(call: impl Future<Output = Result<T, ShareError>>) -> Result<T, ShareError> {
    tokio::time::timeout(READERS_WAIT, call).await.unwrap_or_else(|_| Err(silent()))
}

fn silent() -> ShareError {
    ShareError::Unavailable("it does not answer; see that the share is mounted".into())
}
