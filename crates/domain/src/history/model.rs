//! Random histories, searched both by the index and by looking at everything.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::{
    names::{Note, UserName},
    session::{EndedBy, Source},
    week::Week,
};

const PEOPLE: [&str; 5] = ["alice", "Alice", "bob", "carol", "Zoë"];
const CONNECTIONS: [&str; 4] = ["m;a", "m;b", "n;a", "N;c"];
const BLOCK: u64 = 4;
const MOST_BLOCKS: usize = 16;

/// A record: a session that ended, or something else.
type Step = Option<(usize, usize, i64, i64)>;

fn history() -> impl Strategy<Value = Vec<Step>> {
    let session = (0..PEOPLE.len(), 0..CONNECTIONS.len(), 0..500i64, 0..60i64);
    prop::collection::vec(prop::option::weighted(0.6, session), 0..150)
}

fn filter() -> impl Strategy<Value = Filter> {
    let time = || prop::option::of(0..600i64);
    let name = |names: &'static [&'static str]| prop::option::weighted(0.3, prop::sample::select(names));
    (time(), time(), name(&["ALICE", "bob", "zoë", "nobody"]), name(&["M", "n"]), name(&["a", "B", "c"])).prop_map(
        |(from, to, user, main, sub)| Filter {
            from: from.map(second),
            to: to.map(second),
            user: user.map(str::to_owned),
            main: main.map(str::to_owned),
            sub: sub.map(str::to_owned),
        },
    )
}

fn second(at: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + at).unwrap()
}

fn entry(seq: u64, (person, connection, since, lasts): (usize, usize, i64, i64)) -> Entry {
    let user = UserName::parse(PEOPLE[person]).unwrap();
    let ended_at = second(since) + SignedDuration::from_secs(lasts);
    let session = Session {
        id: SessionId::of_bits(u128::from(seq).to_be_bytes()),
        connection: ConnectionId::parse(CONNECTIONS[connection]).unwrap(),
        user: user.clone(),
        since: second(since),
        note: Note::default(),
        source: Source::Page,
    };
    let week = Week::of(ended_at, &TimeZone::UTC);
    Entry::Ended(EndedSession { session, ended_at, ended_by: EndedBy::Holder(user), week, timezone: "UTC".into() })
}

fn entries(steps: &[Step]) -> Vec<(u64, Entry)> {
    let numbered = steps.iter().zip(1..).filter_map(|(step, seq)| step.map(|step| (seq, entry(seq, step))));
    numbered.collect()
}

fn within<'a>(entries: &'a [(u64, Entry)], span: Span, filter: &'a Filter) -> Vec<u64> {
    let inside = entries.iter().filter(|(seq, entry)| span.after < *seq && *seq <= span.last && filter.means(entry));
    inside.map(|(seq, _)| *seq).collect()
}

proptest! {
    #[test]
    fn the_index_finds_what_looking_at_everything_finds(
        steps in history(), filter in filter(), covered in 0..150u64, limit in 1..12u64, from in 0..150u64,
    ) {
        let entries = entries(&steps);
        let head = steps.len() as u64;
        let mut index = BlockIndex::sized(BLOCK, MOST_BLOCKS);
        let covered = covered.min(head);
        let (early, late): (Vec<_>, Vec<_>) =
            entries.iter().map(|(seq, entry)| (*seq, entry)).filter(|(seq, _)| *seq <= covered).partition(|(seq, _)| *seq * 2 < covered);
        index.take_in(early, covered / 2);
        index.take_in(late, covered);
        let from = from.min(head);

        let (mut found, mut after) = (Vec::new(), from);
        while let Some(span) = index.behind(after, head, limit, &filter) {
            prop_assert!(span.after >= after && span.after < span.last && span.last <= head, "{span:?}");
            prop_assert!(span.last - span.after <= limit);
            found.extend(within(&entries, span, &filter));
            after = span.last;
        }
        prop_assert_eq!(found, within(&entries, Span { after: from, last: head }, &filter));

        let (mut found, mut last) = (Vec::new(), from);
        while let Some(span) = index.at_or_before(last, limit, &filter) {
            prop_assert!(span.last <= last && span.after < span.last, "{span:?}");
            found.extend(within(&entries, span, &filter).into_iter().rev());
            last = span.after;
        }
        found.reverse();
        prop_assert_eq!(found, within(&entries, Span { after: 0, last: from }, &filter));
    }
}

#[test]
fn a_block_without_what_is_meant_is_not_read() {
    let entries: Vec<(u64, Entry)> = (1..=100).map(|seq| (seq, entry(seq, (0, 0, seq as i64 * 10, 5)))).collect();
    let mut index = BlockIndex::sized(BLOCK, 1_000);
    index.take_in(entries.iter().map(|(seq, entry)| (*seq, entry)), 100);
    let at = |from, to| Filter { from: Some(second(from)), to: Some(second(to)), ..Filter::default() };
    assert_eq!(index.behind(0, 100, 50, &at(410, 420)), Some(Span { after: 40, last: 44 }));
    assert_eq!(index.at_or_before(100, 50, &at(410, 420)), Some(Span { after: 40, last: 44 }));
    assert_eq!(index.behind(0, 100, 50, &at(2_000, 3_000)), None);
    assert_eq!(index.at_or_before(100, 50, &at(2_000, 3_000)), None);
    let nobody = Filter { user: Some("nobody at all".into()), ..Filter::default() };
    assert_eq!(index.behind(0, 100, 50, &nobody), None);
}

#[test]
fn sessions_last_from_check_to_uncheck_both_included() {
    let one = entry(1, (0, 0, 100, 50));
    for (from, to, meant) in [(0, 99, false), (0, 100, true), (120, 130, true), (150, 200, true), (151, 200, false)] {
        let filter = Filter { from: Some(second(from)), to: Some(second(to)), ..Filter::default() };
        assert_eq!(filter.means(&one), meant, "{from} to {to}");
    }
}
