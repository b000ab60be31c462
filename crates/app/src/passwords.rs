//! Passwords: Argon2id (RFC 9106) with the parameters that OWASP names as the
//! least, a few at a time so that a crowd neither fills the memory nor the
//! processors.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use domain::account::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS};
use tokio::sync::{Semaphore, oneshot};

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
    workers: SyncSender<Job>,
    decoy: String,
}

impl Passwords {
    /// Makes a decoy hash, so that a name that does not exist costs as much as one that does.
    ///
    /// # Errors
    /// [`PasswordError::Failed`] where the machine has no randomness or memory.
    pub fn new() -> Result<Passwords, PasswordError> {
        let workers = start_workers().map_err(|error| PasswordError::Failed(error.to_string()))?;
        Ok(Passwords { turns: Arc::new(Semaphore::new(AT_ONCE)), workers, decoy: hash("a decoy", &mut memory())? })
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
        self.in_turn(move |memory| hash(&password, memory))
            .await
            .unwrap_or_else(|| Err(PasswordError::Failed("stopping".into())))
    }

    /// Whether the password is that of the hash; without a hash it costs the
    /// same, and is wrong.
    pub async fn proves(&self, password: &str, hash: Option<&str>) -> bool {
        let exists = hash.is_some();
        let hash = hash.unwrap_or(&self.decoy).to_owned();
        let password: String = password.chars().take(MAX_PASSWORD_CHARS + 1).collect();
        let proved = self.in_turn(move |memory| verify(&password, &hash, memory)).await;
        proved == Some(true) && exists
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce(&mut [Block]) -> T + Send + 'static) -> Option<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let (done, result) = oneshot::channel();
        let job = Box::new(move |memory: &mut [Block]| {
            let _ = done.send(work(memory));
            drop(turn);
        });
        self.workers.try_send(job).ok()?;
        result.await.ok()
    }
}

/// A hash to be made.
type Job = Box<dyn FnOnce(&mut [Block]) + Send>;

/// Threads that keep the memory of a hash for the next one: an allocator that is
/// asked for it anew, by thread after thread, ends up with half a gigabyte.
fn start_workers() -> std::io::Result<SyncSender<Job>> {
    let (workers, jobs) = sync_channel(AT_ONCE);
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..AT_ONCE {
        let jobs = Arc::clone(&jobs);
        thread::Builder::new().name("passwords".into()).spawn(move || {
            let mut memory = memory();
            while let Some(job) = next_job(&jobs) {
                // Whoever waits for it learns that it came to nothing.
                drop(catch_unwind(AssertUnwindSafe(|| job(&mut memory))));
            }
        })?;
    }
    Ok(workers)
}

fn next_job(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// The memory of one hash.
fn memory() -> Vec<Block> {
    vec![Block::default(); MEMORY_KIB as usize]
}

fn algorithm() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(|error| PasswordError::Failed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str, memory: &mut [Block]) -> Result<String, PasswordError> {
    let failed = |error: &dyn std::fmt::Display| PasswordError::Failed(error.to_string());
    let (argon2, salt) = (algorithm()?, Salt::generate());
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let hashed = argon2.hash_password_into_with_memory(password.as_bytes(), &salt, &mut output, memory);
    hashed.map_err(|error| failed(&error))?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params()).map_err(|error| failed(&error))?,
        salt: Some(salt),
        hash: Some(Output::new(&output).map_err(|error| failed(&error))?),
    };
    Ok(hash.to_string())
}

fn verify(password: &str, hash: &str, memory: &mut [Block]) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    proved(password, &hash, memory).unwrap_or(false)
}

/// Whether it is; `None` for a hash that was made by other rules.
fn proved(password: &str, hash: &PasswordHash, memory: &mut [Block]) -> Option<bool> {
    let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
    let version = Version::try_from(hash.version?).ok()?;
    let argon2 = Argon2::new(Algorithm::try_from(hash.algorithm.as_str()).ok()?, version, Params::try_from(hash).ok()?);
    let memory = memory.get_mut(..argon2.params().block_count())?;
    let mut output = vec![0; expected.len()];
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut output, memory).ok()?;
    // Takes the same time wherever they differ.
    Some(Output::new(&output).ok()? == *expected)
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
