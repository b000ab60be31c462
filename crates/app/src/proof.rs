//! The older part of the ledger, proved after the start: what a start does not
//! need does not keep it waiting.

use std::time::Duration;

use domain::record::Stream;

use crate::{
    findings::Findings,
    ports::{Ledger, LedgerError},
};

/// The pause before a segment that could not be read is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// How many damaged places are named; of more their number is told.
const NAMED_DAMAGES: usize = 10;

/// Proves every segment that the start did not read, one at a time. Damage is
/// a finding, which stays until a person has mended it and starts again.
pub async fn prove_older(ledger: &dyn Ledger, findings: &Findings) {
    let mut damages = Vec::new();
    for stream in Stream::ALL {
        loop {
            match ledger.prove_older(stream).await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => break,
                Err(LedgerError::Corrupt(damage)) => {
                    damages.push(damage);
                    findings.begins("ledger", "ledger_damaged", told(&damages), false);
                }
                Err(error @ (LedgerError::Unavailable(_) | LedgerError::Conflict(_))) => {
                    let detail = format!("older records could not be proved, which is tried again: {error}");
                    findings.begins("ledger", "ledger_unproved", detail, false);
                    tokio::time::sleep(TRY_AGAIN_AFTER).await;
                }
            }
        }
    }
    findings.ends("ledger", "ledger_unproved");
}

fn told(damages: &[String]) -> String {
    let named = damages.iter().take(NAMED_DAMAGES).cloned().collect::<Vec<_>>().join("; ");
    match damages.len().saturating_sub(NAMED_DAMAGES) {
        0 => format!("older records are damaged: {named}"),
        more => format!("older records are damaged: {named}; and {more} places more"),
    }
}
