//! What is made at random on the first start: the key of access tokens, and
//! the service user's password.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::Path,
};

use anyhow::{Context, bail};
use app::ports::Entropy;
use domain::{checkpoint::CheckpointKey, record::Hash};

/// The key's file in the data directory.
pub(crate) const KEY_FILE: &str = "secret_key";

/// The file of the key that signs checkpoints: 32 bytes as hexadecimal digits.
pub(crate) const CHECKPOINT_KEY_FILE: &str = "checkpoint_key";

/// Fewest bytes of a key (RFC 7518, 3.2: as long as the hash).
const MIN_KEY_BYTES: usize = 32;

/// The key of access tokens: the one that is kept, or a fresh one, kept from
/// then on.
pub(crate) fn kept_key(folder: &Path, entropy: &dyn Entropy) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(KEY_FILE);
    match fs::read(&path) {
        Ok(key) if key.len() >= MIN_KEY_BYTES => Ok(key),
        Ok(key) if key.is_empty() => fresh_key(&path, entropy),
        Ok(_) => bail!("{} is shorter than {MIN_KEY_BYTES} bytes; remove it, and a fresh one is made", path.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => fresh_key(&path, entropy),
        Err(error) => {
            Err(error).with_context(|| format!("{} cannot be read; give the server's user access", path.display()))
        }
    }
}

/// The key that signs checkpoints: the one that is kept, or a fresh one, kept
/// from then on.
pub(crate) fn kept_checkpoint_key(folder: &Path, entropy: &dyn Entropy) -> anyhow::Result<CheckpointKey> {
    match checkpoint_key(folder)? {
        Some(key) => Ok(key),
        None => {
            let digits = [fresh_password(entropy), fresh_password(entropy)].concat();
            let path = folder.join(CHECKPOINT_KEY_FILE);
            write_new(&path, digits.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))?;
            checkpoint_key(folder)?.context("the key that was written is not there")
        }
    }
}

/// The key that signs checkpoints, where there is one.
pub(crate) fn checkpoint_key(folder: &Path) -> anyhow::Result<Option<CheckpointKey>> {
    let path = folder.join(CHECKPOINT_KEY_FILE);
    match fs::read_to_string(&path) {
        Ok(digits) if digits.is_empty() => Ok(None),
        Ok(digits) => {
            let seed = Hash::from_hex(digits.trim());
            let seed = seed.with_context(|| format!("{} is no key; put it back from a backup", path.display()))?;
            Ok(Some(CheckpointKey::of_seed(*seed.bytes())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// A password that nobody guesses: 128 bits as 32 hexadecimal digits.
pub(crate) fn fresh_password(entropy: &dyn Entropy) -> String {
    format!("{:032x}", u128::from_be_bytes(entropy.bits()))
}

fn fresh_key(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<Vec<u8>> {
    let key = [fresh_password(entropy), fresh_password(entropy)].concat();
    write_new(path, key.as_bytes()).with_context(|| {
        format!("{} cannot be written; give the server's user a data directory that it can write", path.display())
    })?;
    Ok(key.into_bytes())
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// The name is to survive a loss of power too: what the key signed would be nobody's.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    match std::fs::File::open(folder)?.sync_all() {
        // Some network shares know no sync of a folder.
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
    #[cfg(not(unix))]
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Entropy for Counting {
        fn bits(&self) -> [u8; 16] {
            [self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed); 16]
        }
    }

    #[test]
    fn a_key_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let entropy = Counting(1.into());
        let first = kept_key(folder.path(), &entropy).unwrap();
        assert!(first.len() >= MIN_KEY_BYTES);
        assert_eq!(kept_key(folder.path(), &entropy).unwrap(), first);
    }

    #[test]
    fn a_short_key_is_refused_and_an_empty_one_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        fs::write(&path, "short").unwrap();
        assert!(kept_key(folder.path(), &Counting(1.into())).unwrap_err().to_string().contains("remove it"));
        fs::write(&path, "").unwrap();
        assert!(kept_key(folder.path(), &Counting(1.into())).unwrap().len() >= MIN_KEY_BYTES);
    }
}
