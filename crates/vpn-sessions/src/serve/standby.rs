//! Standing by while another server writes the data directory.

use std::{io, net::TcpListener, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use app::findings::Findings;
use ledger::{Attempt, Candidate, Term};
use tokio::{sync::oneshot, task::JoinHandle};

/// How often it is looked whether the data directory is free: it is taken
/// within a second after its holder let go or died.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What answers meanwhile; nothing, where the data directory was free at once.
pub(super) struct Standby {
    answering: Option<Answering>,
    findings: Arc<Findings>,
}

struct Answering {
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<()>>,
}

impl Standby {
    /// Waits for the data directory, and answers on that listener while it has to.
    pub(super) async fn until_held(
        folder: &Path,
        listener: &TcpListener,
        findings: &Arc<Findings>,
    ) -> anyhow::Result<(Term, Standby)> {
        let mut candidate = Candidate::new(folder);
        let mut standby = Standby { answering: None, findings: Arc::clone(findings) };
        loop {
            let (attempt, again) = attempt(candidate).await?;
            candidate = again;
            match attempt? {
                Attempt::Taken(term) => return Ok((term, standby)),
                Attempt::Held(by) => standby.tells(&by, folder, listener)?,
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Leaves the listener to the server that is ready by now.
    pub(super) async fn ends(self) -> anyhow::Result<()> {
        let Some(Answering { stop, served }) = self.answering else { return Ok(()) };
        // One that has ended by itself is told by its result.
        let _ = stop.send(());
        served.await?.context("the standby ended")?;
        self.findings.ends("ledger", "standby");
        Ok(())
    }

    fn tells(&mut self, by: &str, folder: &Path, listener: &TcpListener) -> anyhow::Result<()> {
        let detail = format!(
            "{by} has {}; this server stands by and takes over when that one stops. If it should not, end it, or set \
             DATA_DIR to another folder",
            folder.display()
        );
        self.findings.begins("ledger", "standby", detail, true);
        if self.answering.is_none() {
            let (stop, stopped) = oneshot::channel();
            let findings = Arc::clone(&self.findings);
            let served = tokio::spawn(web::stand_by(listener.try_clone()?, findings, async {
                // Whoever is gone wants no standby.
                let _ = stopped.await;
            }));
            tracing::info!("Standing by on http://{}", listener.local_addr()?);
            self.answering = Some(Answering { stop, served });
        }
        Ok(())
    }
}

/// Off the async threads: a share may hang.
async fn attempt(mut candidate: Candidate) -> anyhow::Result<(Result<Attempt, app::ports::LedgerError>, Candidate)> {
    Ok(tokio::task::spawn_blocking(move || (candidate.attempt(), candidate)).await?)
}
