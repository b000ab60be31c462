//! The real ledger on a folder of its own, and a clock that is set.

use std::{path::PathBuf, sync::Arc, time::Duration};

use app::{findings::Findings, store::World};
use jiff::Timestamp;
use ledger::{FileLedger, Term};
use tempfile::TempDir;

use crate::{CountingEntropy, FailingLedger, SettableClock};

/// What use cases need of the world.
pub struct TestWorld {
    folder: TempDir,
    /// What time it is.
    pub clock: Arc<SettableClock>,
    /// Where records are kept.
    pub ledger: Arc<FailingLedger>,
    /// What is wrong.
    pub findings: Arc<Findings>,
    entropy: Arc<CountingEntropy>,
    term: Term,
}

impl TestWorld {
    /// An empty ledger, at that time.
    ///
    /// # Panics
    /// Where the machine has no folder for temporary files.
    pub fn at(time: &str) -> TestWorld {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (ledger, term) = opened(folder.path().join("data"));
        let clock = Arc::new(SettableClock::at(time));
        let findings = Arc::new(Findings::new(clock.clone()));
        TestWorld { folder, clock, ledger, findings, entropy: Arc::default(), term }
    }

    /// What a store works with.
    pub fn world(&self) -> World {
        World {
            ledger: self.ledger.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            findings: Arc::clone(&self.findings),
        }
    }

    /// A path inside the world's own folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The world after a restart: once nobody holds the ledger any more, it is
    /// read again from its files.
    ///
    /// # Panics
    /// Where somebody goes on holding the ledger.
    pub async fn restarted(self) -> TestWorld {
        let TestWorld { folder, clock, ledger, findings, entropy, term } = self;
        let released = async {
            while Arc::strong_count(&ledger) > 1 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(RELEASED_WITHIN, released).await.expect("everybody lets go of the ledger");
        drop((ledger, term));
        let (ledger, term) = opened(folder.path().join("data"));
        TestWorld { folder, clock, ledger, findings, entropy, term }
    }
}

/// How long writers may take to end once nobody asks them anything.
const RELEASED_WITHIN: Duration = Duration::from_secs(10);

fn opened(folder: PathBuf) -> (Arc<FailingLedger>, Term) {
    let term = Term::take(&folder).expect("nobody else writes there");
    let (ledger, _) = FileLedger::open(&term, "an epoch".into(), Timestamp::UNIX_EPOCH).expect("the ledger opens");
    (Arc::new(FailingLedger::around(Arc::new(ledger))), term)
}
