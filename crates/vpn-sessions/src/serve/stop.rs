//! Whether the process is asked to stop, by SIGTERM or Ctrl-C.

use tokio::sync::watch;

/// Remembers that it was asked, whoever waits for it and when.
#[derive(Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens from here on.
    pub(super) fn listens() -> Stop {
        let (told, asked) = watch::channel(false);
        tokio::spawn(async move {
            signalled().await;
            told.send_replace(true);
        });
        Stop(asked)
    }

    /// Ends when it was asked.
    pub(super) async fn asked(mut self) {
        // One that cannot listen any more has been told.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}

async fn signalled() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            let _ = interrupted.await;
            return;
        };
        tokio::select! { _ = interrupted => {}, _ = terminated.recv() => {} }
    }
    #[cfg(not(unix))]
    let _ = interrupted.await;
}
