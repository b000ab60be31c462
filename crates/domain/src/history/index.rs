//! In which records sessions can be that are looked for.
//!
//! Each block of records knows the time that its sessions cover and, in a
//! Bloom filter (Bloom 1970), which names are in them. So a search reads
//! the blocks that may hold what it wants, and no others.

use jiff::Timestamp;

use crate::record::Hash;

use super::{Entry, Filter};

/// How many records are one block at first: some milliseconds of reading.
pub const RECORDS_PER_BLOCK: u64 = 256;

/// How many blocks there are at most, each of 272 bytes; one more, and each two
/// neighbours become one.
pub const MAX_BLOCKS: usize = 65_536;

/// How many 64-bit words the names of a block take: so that a block of two
/// hundred names is taken for one that holds another once in fifty times.
const NAME_WORDS: usize = 32;

/// How many bits stand for a name.
const BITS_PER_NAME: usize = 3;

/// Which blocks of the stream may hold what; grows with the stream.
#[derive(Clone, Debug)]
pub struct BlockIndex {
    records_per_block: u64,
    max_blocks: usize,
    blocks: Vec<Block>,
    covered: u64,
}

/// Records to read: those behind `after`, up to and with `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The record before the first.
    pub after: u64,
    /// The last record.
    pub last: u64,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    /// When its first session began, and its last one ended, in seconds; the
    /// other way round where it has none.
    begins: i64,
    ends: i64,
    names: [u64; NAME_WORDS],
}

impl Default for BlockIndex {
    fn default() -> BlockIndex {
        BlockIndex::sized(RECORDS_PER_BLOCK, MAX_BLOCKS)
    }
}

impl BlockIndex {
    /// An index of blocks of that many records, and of at most so many blocks.
    pub(super) fn sized(records_per_block: u64, max_blocks: usize) -> BlockIndex {
        BlockIndex { records_per_block, max_blocks, blocks: Vec::new(), covered: 0 }
    }

    /// Up to which record it knows the stream; what stands behind is always read.
    pub fn covered(&self) -> u64 {
        self.covered
    }

    /// Takes in the records up to `last` that end or import sessions, with
    /// their numbers, in order; all of them stand behind [`BlockIndex::covered`].
    pub fn take_in<'a>(&mut self, entries: impl IntoIterator<Item = (u64, &'a Entry)>, last: u64) {
        for (seq, entry) in entries {
            self.grow_to(seq);
            let at = self.block_of(seq);
            self.blocks[at].add(entry);
        }
        self.grow_to(last);
        self.covered = self.covered.max(last);
    }

    /// The nearest records at or before `last` that may hold what is meant.
    pub fn at_or_before(&self, last: u64, limit: u64, filter: &Filter) -> Option<Span> {
        if last == 0 {
            return None;
        }
        if last > self.covered {
            return Some(Span { after: self.covered.max(last.saturating_sub(limit)), last });
        }
        let wanted = Wanted::of(filter);
        let at = (0..=self.block_of(last)).rev().find(|&at| wanted.may_be_in(&self.blocks[at]))?;
        let last = last.min((at as u64 + 1) * self.records_per_block);
        let begin = at as u64 * self.records_per_block;
        Some(Span { after: begin.max(last.saturating_sub(limit)), last })
    }

    /// The nearest records behind `after`, up to and with `head`, that may hold
    /// what is meant: as many blocks in a row as `limit` allows.
    pub fn behind(&self, after: u64, head: u64, limit: u64, filter: &Filter) -> Option<Span> {
        if after >= head {
            return None;
        }
        let wanted = Wanted::of(filter);
        let first = self.block_of(after + 1);
        let count = self.blocks.len();
        let at = (first..count).find(|&at| wanted.may_be_in(&self.blocks[at]));
        // Of a block that is not whole the rest is behind what is covered.
        let begin = at.map_or(self.covered, |at| at as u64 * self.records_per_block).max(after);
        let run = at.map_or(count, |at| (at..count).find(|&at| !wanted.may_be_in(&self.blocks[at])).unwrap_or(count));
        let end = if run == count { head } else { run as u64 * self.records_per_block };
        let last = end.min(begin.saturating_add(limit)).min(head);
        (begin < last).then_some(Span { after: begin, last })
    }

    fn block_of(&self, seq: u64) -> usize {
        usize::try_from((seq.max(1) - 1) / self.records_per_block).unwrap_or(usize::MAX)
    }

    fn grow_to(&mut self, seq: u64) {
        while self.block_of(seq) >= self.blocks.len() && seq > 0 {
            if self.blocks.len() >= self.max_blocks {
                self.halve();
                continue;
            }
            self.blocks.push(Block::EMPTY);
        }
    }

    fn halve(&mut self) {
        self.records_per_block *= 2;
        self.blocks = self.blocks.chunks(2).map(|pair| pair.iter().fold(Block::EMPTY, Block::with)).collect();
    }
}

impl Block {
    const EMPTY: Block = Block { begins: i64::MAX, ends: i64::MIN, names: [0; NAME_WORDS] };

    fn add(&mut self, entry: &Entry) {
        self.begins = self.begins.min(entry.since().as_second());
        self.ends = self.ends.max(entry.ended_at().map_or(i64::MAX, Timestamp::as_second));
        let connection = entry.connection();
        for (kind, name) in
            [("user", entry.user().as_str()), ("main", connection.main().as_str()), ("sub", connection.sub().as_str())]
        {
            let bits = bits_of(kind, name);
            self.names.iter_mut().zip(bits).for_each(|(word, bits)| *word |= bits);
        }
    }

    fn with(self, other: &Block) -> Block {
        let mut names = self.names;
        names.iter_mut().zip(other.names).for_each(|(word, bits)| *word |= bits);
        Block { begins: self.begins.min(other.begins), ends: self.ends.max(other.ends), names }
    }
}

/// A filter as blocks are asked.
struct Wanted {
    from: i64,
    to: i64,
    names: [u64; NAME_WORDS],
}

impl Wanted {
    fn of(filter: &Filter) -> Wanted {
        let mut names = [0; NAME_WORDS];
        for (kind, name) in [("user", &filter.user), ("main", &filter.main), ("sub", &filter.sub)] {
            let bits = name.as_ref().map_or([0; NAME_WORDS], |name| bits_of(kind, name));
            names.iter_mut().zip(bits).for_each(|(word, bits)| *word |= bits);
        }
        Wanted {
            from: filter.from.map_or(i64::MIN, Timestamp::as_second),
            to: filter.to.map_or(i64::MAX, Timestamp::as_second),
            names,
        }
    }

    fn may_be_in(&self, block: &Block) -> bool {
        block.begins <= block.ends
            && block.begins <= self.to
            && block.ends >= self.from
            && self.names.iter().zip(block.names).all(|(wanted, there)| wanted & !there == 0)
    }
}

/// The bits of a name, whatever its case.
fn bits_of(kind: &str, name: &str) -> [u64; NAME_WORDS] {
    let digest = Hash::of(format!("{kind} {}", name.to_lowercase()).as_bytes());
    let mut words = [0; NAME_WORDS];
    for pair in digest.bytes().chunks_exact(2).take(BITS_PER_NAME) {
        let bit = usize::from(u16::from_be_bytes([pair[0], pair[1]])) % (NAME_WORDS * 64);
        words[bit / 64] |= 1 << (bit % 64);
    }
    words
}
