//! The port by which the chains of a data directory are proved.

use std::path::PathBuf;

use app::ports::{Chain, Chains, LedgerError};
use async_trait::async_trait;
use domain::record::Stream;

use crate::verify;

/// The chains of a data directory.
pub struct FolderChains {
    folder: PathBuf,
}

impl FolderChains {
    /// Those of that data directory.
    pub fn new(folder: PathBuf) -> FolderChains {
        FolderChains { folder }
    }
}

#[async_trait]
impl Chains for FolderChains {
    async fn prove(&self) -> Vec<(Stream, Result<Chain, LedgerError>)> {
        let folder = self.folder.clone();
        let proved = tokio::task::spawn_blocking(move || proofs(&folder)).await;
        proved.unwrap_or_else(|error| {
            let failed = LedgerError::Unavailable(error.to_string());
            Stream::ALL.map(|stream| (stream, Err(failed.clone()))).into()
        })
    }
}

fn proofs(folder: &std::path::Path) -> Vec<(Stream, Result<Chain, LedgerError>)> {
    let chain = |proof: crate::Proof| Chain {
        head: proof.head,
        segments: proof.segments,
        notes: proof.notes.iter().map(ToString::to_string).collect(),
    };
    verify(folder).into_iter().map(|(stream, proof)| (stream, proof.map(chain))).collect()
}
