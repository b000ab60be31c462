//! What somebody meant who wrote a name slightly wrong.

/// Longest name that is compared, in characters: what is longer is no slip.
const MAX_COMPARED_CHARS: usize = 60;

/// The candidate that is nearest to a name, if one is near enough: at most a third of the letters differ, or two.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    if length > MAX_COMPARED_CHARS {
        return None;
    }
    let name = name.to_lowercase().replace('-', "_");
    let (distance, nearest) =
        candidates.map(|candidate| (distance(&name, candidate), candidate)).min_by_key(|(distance, _)| *distance)?;
    (distance <= (length / 3).max(2) && distance * 2 <= length).then_some(nearest)
}

/// How many letters must be put in, taken out or replaced to come from one word to the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_other_words_are_not() {
        let known = ["listen", "hc_user", "hc_pw", "mail.server"];
        for (name, expected) in [
            ("lisen", Some("listen")),
            ("LISTEN", Some("listen")),
            ("hc-user", Some("hc_user")),
            ("mail.sever", Some("mail.server")),
            ("colour", None),
            ("x", None),
            ("", None),
            (&"listen".repeat(20), None),
        ] {
            assert_eq!(nearest(name, known.into_iter()), expected, "{name}");
        }
    }

    #[test]
    fn distances_are_counted_in_letters() {
        for (from, to, expected) in [("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("same", "same", 0)] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }
}
