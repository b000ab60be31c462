//! Passwords: Argon2id (RFC 9106) with the parameters that OWASP names as the
//! least, a few at a time so that a crowd neither fills the memory nor the
//! processors.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use domain::{
    account::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS},
    names::UserName,
};
use tokio::sync::Semaphore;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;

/// Passes over that memory.
const PASSES: u32 = 2;

/// Lanes of one hash.
const LANES: u32 = 1;

/// How many passwords are hashed at once: 38 MiB, and a core stays free for the board.
const AT_ONCE: usize = 2;

/// How many wait for their turn; beyond it nobody is let wait in vain. A whole
/// office on Monday morning is fewer.
const MAX_WAITING: usize = 1_000;

/// Why a password is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters; this one has {0}")]
    Length(usize),
    /// One of those that are tried first.
    #[error("this is one of the passwords that everybody tries first; choose another one, three words for example")]
    Common,
    /// The account's own name.
    #[error("this is the name of the account; choose another password, three words for example")]
    Name,
    /// Too many wait already.
    #[error("too many sign in just now; try again in a moment")]
    Busy,
    /// The hash could not be made.
    #[error("the password could not be hashed: {0}")]
    Failed(String),
}

/// The memory of hashes, used again and again: what the allocator keeps of it
/// for each thread that ever hashed would add up.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<Vec<Block>>>>);

impl Memory {
    fn lend<T>(&self, work: impl FnOnce(&mut Vec<Block>) -> T) -> T {
        let free = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut blocks = free().pop().unwrap_or_default();
        let result = work(&mut blocks);
        free().push(blocks);
        result
    }
}

/// Hashes and proves passwords.
pub struct Passwords {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    memory: Memory,
    decoy: String,
}

impl Passwords {
    /// Makes a decoy hash, so that a name that does not exist costs as much as one that does.
    ///
    /// # Errors
    /// [`PasswordError::Failed`] where the machine has no randomness or memory.
    pub fn new() -> Result<Passwords, PasswordError> {
        let memory = Memory::default();
        let decoy = memory.lend(|blocks| hash("a decoy", blocks))?;
        let (places, turns) = (Arc::new(Semaphore::new(MAX_WAITING)), Arc::new(Semaphore::new(AT_ONCE)));
        Ok(Passwords { places, turns, memory, decoy })
    }

    /// Hashes the password that somebody chose to its PHC string.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn hash(&self, user: &UserName, password: &str) -> Result<String, PasswordError> {
        judge(user, password)?;
        self.hash_as_given(password).await
    }

    /// Hashes a password that is as it is, to its PHC string.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], [`PasswordError::Failed`].
    pub async fn hash_as_given(&self, password: &str) -> Result<String, PasswordError> {
        let password = cut(password);
        self.in_turn(move |blocks| hash(&password, blocks)).await?
    }

    /// Whether the password is that of the hash; without a hash it costs the
    /// same, and is wrong.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], [`PasswordError::Failed`].
    pub async fn proves(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        let exists = hash.is_some();
        let hash = hash.unwrap_or(&self.decoy).to_owned();
        let password = cut(password);
        let proved = self.in_turn(move |blocks| verify(&password, &hash, blocks)).await?;
        Ok(proved && exists)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = self.places.try_acquire().map_err(|_| PasswordError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        let memory = self.memory.clone();
        let done = tokio::task::spawn_blocking(move || {
            let result = memory.lend(work);
            drop(turn);
            result
        });
        done.await.map_err(|error| PasswordError::Failed(error.to_string()))
    }
}

fn judge(user: &UserName, password: &str) -> Result<(), PasswordError> {
    let chars = password.chars().count();
    if !(MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&chars) {
        return Err(PasswordError::Length(chars));
    }
    let folded = password.to_lowercase();
    if folded.trim() == user.folded() {
        return Err(PasswordError::Name);
    }
    let is_common = |password: &str| passwords::analyzer::is_common_password(password);
    if is_common(password) || is_common(&folded) { Err(PasswordError::Common) } else { Ok(()) }
}

/// No more than tells apart whether it is too long.
fn cut(password: &str) -> String {
    password.chars().take(MAX_PASSWORD_CHARS + 1).collect()
}

fn algorithm() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(|error| PasswordError::Failed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str, blocks: &mut Vec<Block>) -> Result<String, PasswordError> {
    let (argon2, salt) = (algorithm()?, Salt::generate());
    let failed = |error: argon2::Error| PasswordError::Failed(error.to_string());
    let hash = derive(&argon2, password, &salt, blocks).map_err(failed)?;
    let params = ParamsString::try_from(argon2.params());
    let params = params.map_err(|error| PasswordError::Failed(error.to_string()))?;
    let (algorithm, version) = (Algorithm::Argon2id.ident(), Some(Version::V0x13.into()));
    Ok(PasswordHash { algorithm, version, params, salt: Some(salt), hash: Some(hash) }.to_string())
}

fn verify(password: &str, hash: &str, blocks: &mut Vec<Block>) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let (Ok(params), Some(salt)) = (Params::try_from(&hash), hash.salt) else { return false };
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    // Two outputs are compared in constant time.
    derive(&argon2, password, &salt, blocks).is_ok_and(|derived| Some(derived) == hash.hash)
}

fn derive(argon2: &Argon2<'_>, password: &str, salt: &Salt, blocks: &mut Vec<Block>) -> argon2::Result<Output> {
    blocks.resize(argon2.params().block_count(), Block::default());
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut output, blocks)?;
    Output::new(&output).map_err(|_| argon2::Error::OutputTooShort)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> UserName {
        UserName::parse("alice in wonderland").unwrap()
    }

    #[tokio::test]
    async fn a_password_proves_itself_and_no_other() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash(&alice(), "correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(passwords.proves("correct horse", Some(&hash)).await, Ok(true));
        assert_eq!(passwords.proves("correct horsf", Some(&hash)).await, Ok(false));
        assert_eq!(passwords.proves("a decoy", None).await, Ok(false), "the decoy lets nobody in");
    }

    #[test]
    fn lengths_have_limits_and_what_everybody_tries_is_refused() {
        for (password, expected) in [
            ("ä".repeat(7), Err(PasswordError::Length(7))),
            ("ä".repeat(8), Ok(())),
            ("ä".repeat(128), Ok(())),
            ("ä".repeat(129), Err(PasswordError::Length(129))),
            ("password1".into(), Err(PasswordError::Common)),
            ("QwertyUIOP".into(), Err(PasswordError::Common)),
            ("12345678".into(), Err(PasswordError::Common)),
            ("Alice in Wonderland".into(), Err(PasswordError::Name)),
            ("three words here".into(), Ok(())),
            ("        ".into(), Ok(())),
        ] {
            assert_eq!(judge(&alice(), &password), expected, "{password:?}");
        }
    }

    #[tokio::test]
    async fn a_crowd_is_let_wait_and_a_flood_is_not() {
        let passwords = Passwords::new().unwrap();
        let places = passwords.places.try_acquire_many(MAX_WAITING as u32).unwrap();
        assert_eq!(passwords.proves("correct horse", None).await, Err(PasswordError::Busy));
        drop(places);
        assert_eq!(passwords.proves("correct horse", None).await, Ok(false));
    }
}
