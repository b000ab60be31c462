//! What is known of the ledger's chains.

use std::time::Duration;

use domain::record::{Head, Stream};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::ports::{Chain, LedgerError};

use super::{History, HistoryError};

/// A proof is given again for so many times as long as it took: whoever asks
/// again and again takes a tenth of one core at most.
const PROOF_LASTS: u32 = 10;

/// A stream's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainState {
    /// Which stream.
    pub stream: Stream,
    /// Where it ends just now.
    pub head: Head,
    /// How it was proved from its files, or what is wrong with it.
    pub proved: Result<Chain, LedgerError>,
    /// When it was proved.
    pub proved_at: Timestamp,
}

/// The last proof of all chains.
pub(super) struct Proof {
    chains: Vec<(Stream, Result<Chain, LedgerError>)>,
    at: Timestamp,
    lasts_until: Instant,
}

impl History {
    /// All chains, proved just now or a moment ago.
    ///
    /// # Errors
    /// [`HistoryError::Busy`].
    pub async fn chains(&self) -> Result<Vec<ChainState>, HistoryError> {
        let _scan = self.scan().await?;
        let mut kept = self.proof.lock().await;
        let lasts = kept.take().filter(|proof| Instant::now() < proof.lasts_until);
        let proof = match lasts {
            Some(proof) => proof,
            None => self.prove().await,
        };
        let states = proof.chains.iter().map(|(stream, proved)| {
            let (head, proved, proved_at) = (self.ledger.head(*stream), proved.clone(), proof.at);
            ChainState { stream: *stream, head, proved, proved_at }
        });
        let states = states.collect();
        *kept = Some(proof);
        Ok(states)
    }

    async fn prove(&self) -> Proof {
        let (at, begun) = (self.clock.now(), Instant::now());
        let chains = self.chains.prove().await;
        let took: Duration = begun.elapsed();
        Proof { chains, at, lasts_until: begun + took * (1 + PROOF_LASTS) }
    }
}
