//! Standing by while another server writes the data directory.

use std::{future::Future, io, net::TcpListener, path::Path, sync::Arc, time::Duration};

use app::{findings::Findings, ports::LedgerError};
use ledger::{Attempt, Candidate, Term};
use web::Parts;

/// How often it is looked whether the data directory is free: it is taken
/// within a second after its holder let go or died.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What answers on the address: nothing yet, or the standby.
pub(super) enum Front {
    Listener(TcpListener),
    Standby(web::Standby),
}

impl Front {
    /// Waits for the data directory, and answers meanwhile.
    pub(super) async fn until_held(self, folder: &Path, findings: &Arc<Findings>) -> anyhow::Result<(Term, Front)> {
        let mut candidate = Candidate::new(folder);
        let mut front = self;
        loop {
            let (attempt, again) = attempt(candidate).await?;
            candidate = again;
            match attempt {
                Ok(Attempt::Taken(term)) => return Ok((term, front)),
                Ok(Attempt::Held(by)) => {
                    tell(&by, folder, findings);
                    front = front.stands_by(findings)?;
                }
                Err(error) => front.goes_on_after(error, findings)?,
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Serves until it is told to stop.
    pub(super) async fn serve(
        self,
        parts: Arc<Parts>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        match self {
            Front::Listener(listener) => web::serve(listener, parts, stop).await,
            Front::Standby(standby) => {
                parts.findings.ends("ledger", "standby");
                standby.serve(parts, stop).await
            }
        }
    }

    /// A share may come back while a standby waits for it.
    fn goes_on_after(&self, error: LedgerError, findings: &Findings) -> Result<(), LedgerError> {
        match self {
            Front::Listener(_) => Err(error),
            Front::Standby(_) => {
                findings.begins("ledger", "standby", format!("this server stands by: {error}"), true);
                Ok(())
            }
        }
    }

    fn stands_by(self, findings: &Arc<Findings>) -> anyhow::Result<Front> {
        match self {
            Front::Listener(listener) => {
                tracing::info!("Standing by on http://{}", listener.local_addr()?);
                Ok(Front::Standby(web::Standby::answers(listener, Arc::clone(findings))?))
            }
            Front::Standby(standby) => Ok(Front::Standby(standby)),
        }
    }
}

fn tell(by: &str, folder: &Path, findings: &Findings) {
    let detail = format!(
        "{by} has {}; this server stands by and takes over when that one stops. If it should not, end it, or set \
         DATA_DIR to another folder",
        folder.display()
    );
    findings.begins("ledger", "standby", detail, true);
}

/// Off the async threads: a share may hang.
async fn attempt(mut candidate: Candidate) -> anyhow::Result<(Result<Attempt, LedgerError>, Candidate)> {
    Ok(tokio::task::spawn_blocking(move || (candidate.attempt(), candidate)).await?)
}
