//! Single sign-on: who has left for the provider, and who came back.
//!
//! What belongs to a sign-on that is under way is kept in memory alone, for a
//! few minutes, and used once: it is not a record.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    account::{ClaimRules, Role},
    names::UserName,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    findings::Findings,
    ports::{Clock, Entropy, IdentityProvider, ProviderAnswer, ProviderError, SignOnSecrets},
};

/// How long somebody may take at the provider: a password, a second factor, a coffee.
pub const SIGN_ON_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Most sign-ons under way; the oldest ends when one more begins. A few MB, and
/// ten times the people that a server is for.
const MAX_UNDER_WAY: usize = 10_000;

/// How often a provider that is away is asked whether it is there again.
const ASK_AGAIN_EVERY: Duration = Duration::from_secs(10);

/// What is wrong while the provider is away: the part, and the code.
const UNREACHABLE: (&str, &str) = ("sso", "provider_unreachable");

/// Lets people in whom a provider proves.
pub struct SingleSignOn {
    provider: Box<dyn IdentityProvider>,
    rules: ClaimRules,
    under_way: Mutex<BTreeMap<String, UnderWay>>,
    findings: Arc<Findings>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// Somebody who is at the provider.
struct UnderWay {
    secrets: SignOnSecrets,
    browser: String,
    next: String,
    since: Timestamp,
}

/// Where a browser goes, and what it must bring back.
pub struct Departure {
    /// The provider's page.
    pub address: String,
    /// What only this browser knows.
    pub browser: String,
}

/// What a browser brings back.
pub struct Return {
    /// Which sign-on it says it is.
    pub state: String,
    /// What only the browser knows that left.
    pub browser: String,
    /// The provider's answer; `None` where that is a no.
    pub answer: Option<ProviderAnswer>,
}

/// Somebody whom the provider proved; whether they have an account is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// Who.
    pub user: UserName,
    /// The role that the provider gives, if it says anything of roles.
    pub role: Option<Role>,
    /// Whether who has no account gets one.
    pub creates_account: bool,
    /// Where they wanted to go.
    pub next: String,
}

/// Why nobody came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOnError {
    /// The sign-on has ended, was used, or is another browser's.
    Ended,
    /// The provider said no, or nothing that holds.
    Refused,
    /// The provider gives no name that could be a user's.
    Nameless,
    /// The provider is away.
    Unreachable,
}

impl SingleSignOn {
    /// Nobody has left yet, and the provider was not asked anything.
    pub fn new(
        provider: Box<dyn IdentityProvider>,
        rules: ClaimRules,
        findings: Arc<Findings>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> SingleSignOn {
        SingleSignOn { provider, rules, under_way: Mutex::default(), findings, clock, entropy }
    }

    /// Sends a browser to the provider; `next` is where it wants to go afterwards.
    ///
    /// # Errors
    /// [`SignOnError::Unreachable`].
    pub async fn leave(&self, next: &str) -> Result<Departure, SignOnError> {
        let verifier = format!("{}{}", self.secret(), self.secret());
        let secrets = SignOnSecrets { state: self.secret(), nonce: self.secret(), verifier };
        let address = self.told(self.provider.address(&secrets).await)?;
        let browser = self.secret();
        let (since, next) = (self.clock.now(), next.to_owned());
        self.keep(UnderWay { secrets, browser: browser.clone(), next, since });
        Ok(Departure { address, browser })
    }

    /// Takes back whoever left; once, whatever comes of it.
    ///
    /// # Errors
    /// [`SignOnError`].
    pub async fn come_back(&self, back: Return) -> Result<Proved, SignOnError> {
        let left = self.take(&back).ok_or(SignOnError::Ended)?;
        let answer = back.answer.ok_or(SignOnError::Refused)?;
        let claims = self.told(self.provider.claims(&answer, &left.secrets).await)?;
        let user = self.rules.user(&claims).ok_or(SignOnError::Nameless)?;
        let (role, creates_account) = (self.rules.role(&claims), self.rules.creates_accounts);
        Ok(Proved { user, role, creates_account, next: left.next })
    }

    /// Asks a provider that is away whether it is there again, for ever.
    pub async fn look_for_provider(&self) {
        loop {
            tokio::time::sleep(ASK_AGAIN_EVERY).await;
            let (part, code) = UNREACHABLE;
            if self.findings.current().iter().any(|finding| (finding.part, finding.code) == (part, code)) {
                let _is_a_finding = self.told(self.provider.reach().await);
            }
        }
    }

    /// Passes on what the provider said; its own words are for the log.
    fn told<T>(&self, said: Result<T, ProviderError>) -> Result<T, SignOnError> {
        let (part, code) = UNREACHABLE;
        match said {
            Err(ProviderError::Unreachable(reason)) => {
                let detail = format!(
                    "nobody can sign in by single sign-on, passwords work: {reason}; look whether OIDC_ISSUER is \
                     right, and whether this server reaches it"
                );
                self.findings.begins(part, code, detail, false);
                Err(SignOnError::Unreachable)
            }
            Err(ProviderError::Refused(reason)) => {
                tracing::warn!("A single sign-on was refused: {reason}");
                self.findings.ends(part, code);
                Err(SignOnError::Refused)
            }
            Ok(said) => {
                self.findings.ends(part, code);
                Ok(said)
            }
        }
    }

    fn keep(&self, left: UnderWay) {
        let mut under_way = self.lock();
        under_way.retain(|_, earlier| left.since.duration_since(earlier.since) < SIGN_ON_LIFE);
        if under_way.len() >= MAX_UNDER_WAY {
            let oldest = under_way.iter().min_by_key(|(_, earlier)| earlier.since).map(|(state, _)| state.clone());
            oldest.and_then(|state| under_way.remove(&state));
        }
        under_way.insert(left.secrets.state.clone(), left);
    }

    /// The sign-on of that state, if it is that browser's and has not ended.
    fn take(&self, back: &Return) -> Option<UnderWay> {
        let mut under_way = self.lock();
        under_way.get(&back.state).filter(|left| left.browser == back.browser)?;
        let left = under_way.remove(&back.state)?;
        (self.clock.now().duration_since(left.since) < SIGN_ON_LIFE).then_some(left)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, UnderWay>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// 128 random bits as 32 hexadecimal digits.
    fn secret(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.entropy.bits()))
    }
}
