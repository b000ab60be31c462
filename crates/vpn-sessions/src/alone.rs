//! The accounts without a server: a command works on the data directory itself
//! while it holds the term.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use app::{access::AccessLog, accounts::Accounts, store::Failure};
use domain::account::{AccountRefusal, Changer};
use ledger::Term;

use crate::{config::Config, remote, serve};

/// Who changes something where no server asks.
pub(crate) const BY: Changer = Changer::CommandLine;

/// The accounts of a data directory that no server holds.
pub(crate) struct Alone {
    pub(crate) accounts: Accounts,
    access: Arc<AccessLog>,
    origin: String,
    _term: Arc<Term>,
}

impl Alone {
    /// Takes the data directory.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Alone> {
        let term = Arc::new(Term::take(&config.data_dir)?);
        let (accounts, access) = serve::accounts_alone(config, &term).await?;
        let origin = serve::public_origin(config).unwrap_or_else(|| remote::own_address(config));
        Ok(Alone { accounts, access, origin, _term: term })
    }

    /// The link that an invitation is.
    pub(crate) fn link(&self, secret: &str) -> String {
        format!("{}/invite/{secret}", self.origin)
    }

    /// Keeps in the record of access what was done, and lets go.
    pub(crate) async fn close(self) {
        self.access.catch_up().await;
        self.accounts.compact().await;
    }
}

/// What the rules or the ledger say, as a command's error.
pub(crate) fn done<T>(result: Result<T, Failure<AccountRefusal>>) -> anyhow::Result<T> {
    match result {
        Ok(value) => Ok(value),
        Err(Failure::Refused(refusal)) => Err(anyhow!(refusal)),
        Err(Failure::Unavailable(reason)) => bail!("it could not be kept: {reason}"),
    }
}
