//! A disk in memory that fails when told, and forgets what was not synced.
//!
//! What programs see and what would survive a loss of power are two things
//! here, for the content of files and for the names in folders. A sync that
//! failed once leaves the disk lying: what it did not write counts as clean.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use crate::disk::{Appending, Disk};

/// A disk that all its clones share.
#[derive(Clone, Default)]
pub struct SimulatedDisk(Arc<Mutex<State>>);

/// What goes wrong at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails with this error number; a sync then lies from there on.
    Error(i32),
    /// A write gets a part onto the disk and fails; anything else fails.
    Short(i32),
    /// This and all that follow fail: the process was stopped there.
    Stop,
}

/// An input or output error.
pub const EIO: i32 = 5;
/// No space left on the disk.
pub const ENOSPC: i32 = 28;
/// Not allowed.
pub const EACCES: i32 = 13;
/// A file of a share that is no more.
pub const ESTALE: i32 = 116;
/// A disk that can only be read.
pub const EROFS: i32 = 30;

#[derive(Default)]
struct State {
    files: BTreeMap<usize, Content>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    calls: usize,
    syncs: usize,
    bytes_read: usize,
    faults: BTreeMap<usize, Fault>,
    stopped: bool,
    all_fail: Option<i32>,
}

#[derive(Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    dirty: Vec<Range<usize>>,
}

/// Numbers that look random, the same for the same seed.
pub struct Luck(u64);

impl Luck {
    pub fn of(seed: u64) -> Luck {
        Luck(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

impl SimulatedDisk {
    /// What goes wrong, by the number of the call from now on.
    pub fn fails(&self, faults: impl IntoIterator<Item = (usize, Fault)>) {
        let mut state = self.state();
        let calls = state.calls;
        state.faults = faults.into_iter().map(|(call, fault)| (calls + call, fault)).collect();
    }

    /// Whether every change fails from here on.
    pub fn all_fail(&self, error: Option<i32>) {
        self.state().all_fail = error;
    }

    /// How many changes were asked for.
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    /// How many syncs of files there were.
    pub fn syncs(&self) -> usize {
        self.state().syncs
    }

    /// How many bytes were read.
    pub fn bytes_read(&self) -> usize {
        self.state().bytes_read
    }

    /// Whether the process was stopped.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// The process ended, and the machine goes on.
    pub fn process_ends(&self) {
        let mut state = self.state();
        state.stopped = false;
        state.faults.clear();
    }

    /// The power goes: of each thing that was not synced all, some or nothing is kept.
    pub fn power_goes(&self, luck: &mut Luck) {
        let mut state = self.state();
        let names: Vec<PathBuf> = state.names.keys().chain(state.durable_names.keys()).cloned().collect();
        for name in names {
            let (seen, kept) = (state.names.get(&name).copied(), state.durable_names.get(&name).copied());
            if let Some(file) = if luck.below(2) == 0 { seen } else { kept } {
                state.names.insert(name, file);
            } else {
                state.names.remove(&name);
            }
        }
        state.durable_names = state.names.clone();
        state.files.values_mut().for_each(|content| content.loses_power(luck));
        state.stopped = false;
        state.faults.clear();
    }

    /// A disk of its own with the same content.
    pub fn copy(&self) -> SimulatedDisk {
        let state = self.state();
        let copied = State {
            files: state.files.clone(),
            names: state.names.clone(),
            durable_names: state.durable_names.clone(),
            ..State::default()
        };
        SimulatedDisk(Arc::new(Mutex::new(copied)))
    }

    /// The files there are.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    /// Every file and what is in it.
    pub fn content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.state();
        state.names.iter().map(|(path, file)| (path.clone(), state.files[file].bytes.clone())).collect()
    }

    /// Changes a file behind everybody's back, for good; makes it where there is none.
    pub fn change(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let fresh = state.files.len();
        let file = *state.names.entry(path.to_owned()).or_insert(fresh);
        state.durable_names.insert(path.to_owned(), file);
        let content = state.files.entry(file).or_default();
        change(&mut content.bytes);
        *content = Content { durable: content.bytes.clone(), bytes: content.bytes.clone(), dirty: Vec::new() };
    }

    /// Removes a file behind everybody's back.
    pub fn lose(&self, path: &Path) {
        let mut state = self.state();
        state.names.remove(path);
        state.durable_names.remove(path);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// One more change; what goes wrong with it.
    fn call(&self) -> (MutexGuard<'_, State>, Option<Fault>) {
        let mut state = self.state();
        state.calls += 1;
        let due = state.faults.get(&state.calls).copied();
        state.stopped |= due == Some(Fault::Stop);
        let fault = if state.stopped { Some(Fault::Stop) } else { state.all_fail.map(Fault::Error).or(due) };
        (state, fault)
    }

    fn change_or_fail(&self) -> io::Result<MutexGuard<'_, State>> {
        let (state, fault) = self.call();
        fault.map_or(Ok(state), |fault| Err(fault.error()))
    }
}

impl Fault {
    fn error(self) -> io::Error {
        match self {
            Fault::Error(number) | Fault::Short(number) => io::Error::from_raw_os_error(number),
            Fault::Stop => io::Error::from_raw_os_error(EIO),
        }
    }
}

impl Content {
    fn sync(&mut self) {
        for range in std::mem::take(&mut self.dirty) {
            let end = range.end.min(self.bytes.len());
            self.write_back(range.start..end);
        }
    }

    fn write_back(&mut self, range: Range<usize>) {
        if range.start < range.end {
            let length = self.durable.len().max(range.end);
            self.durable.resize(length, 0);
            self.durable[range.clone()].copy_from_slice(&self.bytes[range]);
        }
    }

    fn loses_power(&mut self, luck: &mut Luck) {
        for range in std::mem::take(&mut self.dirty) {
            let length = range.end.min(self.bytes.len()).saturating_sub(range.start);
            let kept = match luck.below(3) {
                0 => 0,
                1 => length,
                _ => luck.below(length + 1),
            };
            self.write_back(range.start..range.start + kept);
        }
        self.bytes = self.durable.clone();
    }
}

impl Disk for SimulatedDisk {
    fn make_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        let inside = state.names.keys().filter_map(|path| path.strip_prefix(folder).ok());
        Ok(inside.map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.read_at(path, 0, usize::MAX)
    }

    fn read_at(&self, path: &Path, offset: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        let file = *state.names.get(path).ok_or(ErrorKind::NotFound)?;
        let content = &state.files[&file].bytes;
        let from = content.len().min(offset as usize);
        let read = content[from..content.len().min(from.saturating_add(bytes))].to_vec();
        state.bytes_read += read.len();
        Ok(read)
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        let state = self.state();
        let file = state.names.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(state.files[file].bytes.len() as u64)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.change_or_fail()?;
        let file = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Appending>> {
        let mut state = self.change_or_fail()?;
        if state.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let file = state.files.len();
        state.files.insert(file, Content::default());
        state.names.insert(path.to_owned(), file);
        Ok(Box::new(SimulatedFile { disk: self.clone(), file }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change_or_fail()?.names.remove(path);
        Ok(())
    }

    fn rewrite(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.change_or_fail()?;
        let file = state.names[path];
        let content = state.files.get_mut(&file).unwrap();
        let range = offset as usize..offset as usize + bytes.len();
        assert_eq!(&content.bytes[range.clone()], bytes, "what is there is written once more, and nothing else");
        content.dirty.push(range);
        content.sync();
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.change_or_fail()?;
        let is_inside = |name: &PathBuf| name.parent() == Some(path);
        let inside: Vec<_> =
            state.names.iter().filter(|(name, _)| is_inside(name)).map(|(n, f)| (n.clone(), *f)).collect();
        state.durable_names.retain(|name, _| !is_inside(name));
        state.durable_names.extend(inside);
        Ok(())
    }

    fn cut(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let mut state = self.change_or_fail()?;
        let file = state.names[path];
        let content = state.files.get_mut(&file).unwrap();
        content.bytes.truncate(bytes as usize);
        content.durable.truncate(bytes as usize);
        content.sync();
        Ok(())
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    file: usize,
}

impl Appending for SimulatedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (mut state, fault) = self.disk.call();
        let written = match fault {
            None => bytes.len(),
            Some(Fault::Error(_)) => 0,
            Some(Fault::Short(_) | Fault::Stop) => bytes.len() / 2,
        };
        let content = state.files.get_mut(&self.file).unwrap();
        let from = content.bytes.len();
        content.bytes.extend_from_slice(&bytes[..written]);
        content.dirty.push(from..from + written);
        fault.map_or(Ok(()), |fault| Err(fault.error()))
    }

    fn sync(&mut self) -> io::Result<()> {
        let (mut state, fault) = self.disk.call();
        state.syncs += 1;
        let content = state.files.get_mut(&self.file).unwrap();
        match fault {
            None => content.sync(),
            Some(Fault::Error(_) | Fault::Short(_)) => content.dirty.clear(),
            Some(Fault::Stop) => {}
        }
        fault.map_or(Ok(()), |fault| Err(fault.error()))
    }
}
