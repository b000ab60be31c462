//! Who may follow whom, and when, by a clock that is set.

use std::{fs, thread};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const MARK: &str = "writer.json";

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// This process, but for those fields, as the first line of a term.
fn first_line(changed: Value) -> String {
    let mut holder = serde_json::to_value(Holder::this_process()).unwrap();
    holder.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    format!("{holder}\n")
}

/// A data directory whose term of that number has that content.
fn held_by(number: u32, content: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    file::make_folder(folder.path()).unwrap();
    fs::write(file::path(folder.path(), number), content).unwrap();
    folder
}

fn taken(look: Look) -> Term {
    match look {
        Look::Taken(term) => term,
        Look::Held { by, .. } => panic!("held by {by}"),
    }
}

/// Whether the holder is seen to live, of a directory that is held.
fn held(look: Look) -> bool {
    match look {
        Look::Taken(term) => panic!("term {} was taken", term.number()),
        Look::Held { lives, .. } => lives,
    }
}

#[test]
fn whoever_let_go_or_died_is_followed_at_once() {
    for (content, before) in [
        (first_line(json!({})) + "..\nlet go\n", Before::LetGo),
        (first_line(json!({"boot_id": "another"})) + "\nlet go\n", Before::LetGo),
        (first_line(json!({"started": 1})) + "...", Before::Dead),
        (first_line(json!({"pid": 4_000_000_000_u32})), Before::Dead),
    ] {
        let folder = held_by(7, &content);
        let term = taken(Candidate::new(folder.path()).look(seconds(0.0)).unwrap());
        assert_eq!((term.number(), term.before()), (8, before), "{content}");
        assert!(!MARK.is_empty() && file::path(folder.path(), 7).exists(), "its holder has to see that it is followed");
    }
    let folder = tempfile::tempdir().unwrap();
    let term = taken(Candidate::new(folder.path()).look(seconds(0.0)).unwrap());
    assert_eq!((term.number(), term.before()), (1, Before::LetGo));
}

#[test]
fn of_whom_nobody_can_tell_is_followed_when_it_stood_still() {
    for content in [
        first_line(json!({"boot_id": "another"})),
        first_line(json!({"namespace": "another"})),
        // Alive, and perhaps stopped.
        first_line(json!({})),
        String::new(),
        "torn {".into(),
    ] {
        let folder = held_by(7, &content);
        let mut candidate = Candidate::new(folder.path());
        for at in [0.0, 3.0, 9.9] {
            held(candidate.look(seconds(at)).unwrap());
        }
        held(candidate.look(seconds(10.0)).unwrap());
        assert!(file::path(folder.path(), 8).exists(), "the next term is taken");
        // The wait counts from behind that.
        held(candidate.look(seconds(11.0)).unwrap());
        held(candidate.look(seconds(13.4)).unwrap());
        let term = taken(candidate.look(seconds(13.5)).unwrap());
        assert_eq!((term.number(), term.before()), (8, Before::StoodStill));
    }
}

#[test]
fn a_counter_that_moves_keeps_the_term() {
    let folder = held_by(7, &first_line(json!({"boot_id": "another"})));
    let path = file::path(folder.path(), 7);
    let mut candidate = Candidate::new(folder.path());
    assert!(!held(candidate.look(seconds(0.0)).unwrap()), "nobody can tell yet");
    for at in 1..30 {
        file::append(&path, file::MOVE).unwrap();
        let lives = held(candidate.look(seconds(f64::from(at) * 9.0)).unwrap());
        assert!(lives, "it moves");
    }
    held(candidate.look(seconds(29.0 * 9.0 + 9.9)).unwrap());
    held(candidate.look(seconds(29.0 * 9.0 + 10.0)).unwrap());
    held(candidate.look(seconds(29.0 * 9.0 + 10.2)).unwrap());
    taken(candidate.look(seconds(29.0 * 9.0 + 12.7)).unwrap());
}

#[test]
fn another_that_comes_and_goes_is_watched_anew() {
    let folder = held_by(7, &first_line(json!({"boot_id": "another"})));
    let mut candidate = Candidate::new(folder.path());
    held(candidate.look(seconds(0.0)).unwrap());
    fs::write(file::path(folder.path(), 8), first_line(json!({"boot_id": "a third"}))).unwrap();
    held(candidate.look(seconds(9.0)).unwrap());
    held(candidate.look(seconds(18.9)).unwrap());
    assert!(!file::path(folder.path(), 9).exists());
    held(candidate.look(seconds(19.0)).unwrap());
    held(candidate.look(seconds(19.2)).unwrap());
    assert_eq!(taken(candidate.look(seconds(21.7)).unwrap()).number(), 9);
}

#[test]
fn one_who_is_followed_while_it_waits_has_nothing() {
    let folder = held_by(7, &first_line(json!({"boot_id": "another"})));
    let mut candidate = Candidate::new(folder.path());
    held(candidate.look(seconds(0.0)).unwrap());
    held(candidate.look(seconds(10.0)).unwrap());
    fs::write(file::path(folder.path(), 9), first_line(json!({"boot_id": "a third"}))).unwrap();
    for at in [30.0, 33.0, 34.0] {
        held(candidate.look(seconds(at)).unwrap());
    }
}

#[test]
fn one_who_comes_too_late_withdraws() {
    let folder = held_by(7, &first_line(json!({"boot_id": "another"})));
    fs::write(file::path(folder.path(), 8), first_line(json!({}))).unwrap();
    // It saw term 5 let go, and was paused; meanwhile 6 was held, and removed.
    let look = Candidate::new(folder.path()).follow(5, Before::LetGo).unwrap();
    held(look);
    assert_eq!(file::numbers(folder.path()).unwrap(), [7, 8]);
}

#[test]
fn a_mark_of_a_version_before_terms_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join(MARK);
    fs::write(&mark, first_line(json!({}))).unwrap();
    let mut candidate = Candidate::new(folder.path());
    assert!(held(candidate.look(seconds(0.0)).unwrap()), "its process lives");
    assert!(super::super::holder(folder.path()).is_some());
    fs::write(&mark, first_line(json!({"started": 1}))).unwrap();
    assert_eq!(super::super::holder(folder.path()), None);
    let term = taken(candidate.look(seconds(1.0)).unwrap());
    assert_eq!((term.number(), term.before()), (1, Before::Dead));
    assert!(!mark.exists(), "it counts no more");
}

#[test]
fn of_many_that_want_it_at_once_exactly_one_has_it() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..200_u32 {
        if round % 2 == 1 {
            let number = file::numbers(folder.path()).unwrap().last().unwrap() + 1;
            fs::write(file::path(folder.path(), number), first_line(json!({"started": 1}))).unwrap();
        }
        let looks: Vec<_> = (0..8)
            .map(|_| {
                let folder = folder.path().to_owned();
                thread::spawn(move || Candidate::new(&folder).look(seconds(0.0)).unwrap())
            })
            .collect();
        let looks: Vec<_> = looks.into_iter().map(|look| look.join().unwrap()).collect();
        let taken = looks.iter().filter(|look| matches!(look, Look::Taken(_))).count();
        assert_eq!(taken, 1, "round {round}: {looks:?}");
        let kept = file::numbers(folder.path()).unwrap();
        assert!(kept.len() <= 2, "the last two are kept: {kept:?}");
    }
}
