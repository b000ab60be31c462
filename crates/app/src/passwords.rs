//! Passwords: Argon2id (RFC 9106) with the parameters that OWASP names as the
//! least, a few at a time so that a crowd neither fills the memory nor the
//! processors.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use domain::account::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS};
use tokio::sync::Semaphore;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;

/// Passes over that memory.
const PASSES: u32 = 2;

/// Lanes of one hash.
const LANES: u32 = 1;

/// How many passwords are hashed at once: 38 MiB, and a core stays free for the board.
const AT_ONCE: usize = 2;

/// Why a password is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters; this one has {0}")]
    Length(usize),
    /// The hash could not be made.
    #[error("the password could not be hashed: {0}")]
    Failed(String),
}

/// Hashes and proves passwords.
pub struct Passwords {
    turns: Arc<Semaphore>,
    decoy: String,
}

impl Passwords {
    /// Makes a decoy hash, so that a name that does not exist costs as much as one that does.
    ///
    /// # Errors
    /// [`PasswordError::Failed`] where the machine has no randomness or memory.
    pub fn new() -> Result<Passwords, PasswordError> {
        Ok(Passwords { turns: Arc::new(Semaphore::new(AT_ONCE)), decoy: hash("a decoy")? })
    }

    /// Hashes a password to its PHC string.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let chars = password.chars().count();
        if !(MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&chars) {
            return Err(PasswordError::Length(chars));
        }
        let password = password.to_owned();
        self.in_turn(move || hash(&password)).await.unwrap_or_else(|| Err(PasswordError::Failed("stopping".into())))
    }

    /// Whether the password is that of the hash; without a hash it costs the
    /// same, and is wrong.
    pub async fn proves(&self, password: &str, hash: Option<&str>) -> bool {
        let exists = hash.is_some();
        let hash = hash.unwrap_or(&self.decoy).to_owned();
        let password: String = password.chars().take(MAX_PASSWORD_CHARS + 1).collect();
        let proved = self.in_turn(move || verify(&password, &hash)).await;
        proved == Some(true) && exists
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        done.await.ok()
    }
}

fn algorithm() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(|error| PasswordError::Failed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let hash = algorithm()?.hash_password(password.as_bytes());
    hash.map(|hash: PasswordHash| hash.to_string()).map_err(|error| PasswordError::Failed(error.to_string()))
}

fn verify(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_proves_itself_and_no_other() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.proves("correct horse", Some(&hash)).await);
        assert!(!passwords.proves("correct horsf", Some(&hash)).await);
        assert!(!passwords.proves("a decoy", None).await, "the decoy lets nobody in");
    }

    #[tokio::test]
    async fn lengths_have_limits() {
        let passwords = Passwords::new().unwrap();
        for (chars, fine) in [(7, false), (8, true), (128, true), (129, false)] {
            assert_eq!(passwords.hash(&"ä".repeat(chars)).await.is_ok(), fine, "{chars}");
        }
    }
}
