//! The fuzz targets on any toolchain: every file of the corpus, and changes of
//! it. With `VPN_SESSIONS_LONG=1` a minute each; `TEST_SEED` repeats a run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Duration,
};

use testkit::targets::{TARGETS, Target};

/// How many changed inputs a target gets where nobody asks for more.
const USUAL_ROUNDS: u64 = 1_000;

/// How long a target runs where somebody does.
const LONG: Duration = Duration::from_secs(60);

/// Longest input, in bytes: every reader refuses longer ones by its length.
const MAX_BYTES: usize = 16 * 1024;

/// Numbers that look random, and are the same for the same seed (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % end.max(1)
    }
}

/// Bytes that readers look for.
const WORDS: [&[u8]; 16] = [
    b"\n",
    b"\r\n",
    b";",
    b"\"",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b".",
    b"4",
    b"null",
    b"18446744073709551616",
];

/// An input of the corpus with a few changes.
fn changed(corpus: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut input = corpus[numbers.below(corpus.len())].clone();
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(input.len() + 1);
        match numbers.below(6) {
            0 if at < input.len() => input[at] ^= 1 << numbers.below(8),
            1 => input.truncate(at),
            2 => drop(input.splice(at..at, WORDS[numbers.below(WORDS.len())].iter().copied())),
            3 => {
                let other = &corpus[numbers.below(corpus.len())];
                input.splice(at.., other[numbers.below(other.len() + 1)..].iter().copied());
            }
            4 if at < input.len() => drop(input.drain(at..(at + 1 + numbers.below(8)).min(input.len()))),
            _ => {
                let repeated = input[at.saturating_sub(16)..at].repeat(1 + numbers.below(64));
                input.splice(at..at, repeated);
            }
        }
    }
    input.truncate(MAX_BYTES);
    input
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 3, "{name} has a corpus");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[allow(clippy::disallowed_methods, reason = "how long it runs is no rule")]
fn run(name: &str) {
    let (_, target): Target = *TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let seed = env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed_u64);
    let (long, begun) = (env::var_os("VPN_SESSIONS_LONG").is_some(), std::time::Instant::now());
    println!("seed: TEST_SEED={seed}");
    let (corpus, mut numbers, mut rounds) = (corpus(name), Numbers(seed.max(1)), 0);
    corpus.iter().for_each(|input| target(input));
    while if long { begun.elapsed() < LONG } else { rounds < USUAL_ROUNDS } {
        let input = changed(&corpus, &mut numbers);
        let ended = catch_unwind(AssertUnwindSafe(|| target(&input)));
        assert!(ended.is_ok(), "round {rounds} of TEST_SEED={seed} with {:?}", input.escape_ascii().to_string());
        rounds += 1;
    }
    println!("{name}: {rounds} inputs");
}

#[test]
fn list_files() {
    run("list_files");
}

#[test]
fn access_tokens() {
    run("access_tokens");
}

#[test]
fn ledger() {
    run("ledger");
}

#[test]
fn packets() {
    run("packets");
}

#[test]
fn messages() {
    run("messages");
}
