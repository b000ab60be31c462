//! Coming in by single sign-on.

use domain::account::{AccountCommand, Proof, SignIn};

use super::{Accounts, Arrival, Client, SignInError};
use crate::sign_on::Proved;

impl Accounts {
    /// Signs a browser in whose user the provider of single sign-on proved.
    ///
    /// # Errors
    /// [`SignInError`]; wrong is who has no account that lets them in.
    pub async fn sign_on(&self, proved: &Proved, from: Arrival) -> Result<SignIn, SignInError> {
        let named = self.describe(&proved.user).map_or_else(|| proved.user.clone(), |account| account.user);
        let sign_in = self.fresh_sign_in(named.clone(), Proof::SingleSignOn, &from);
        let (role, creates_account) = (proved.role, proved.creates_account);
        let command = AccountCommand::SignOn { sign_in: sign_in.clone(), role, creates_account };
        let kept = self.execute(command, from.changer(named)).await.map_err(SignInError::from);
        self.noted(kept, proved.user.as_str(), &from, Client::Browser)?;
        Ok(sign_in)
    }
}
