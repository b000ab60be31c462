"""`audit verify`: what was changed in ledger or reports is named, and nothing else is."""

import pytest

from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"


@pytest.fixture
def audited(make_server):
    """A stopped server whose week has four sessions."""
    server = make_server(toml="[limits]\ncommands_per_minute = 1000000\n").starts()
    alice, bob = server.signs_in("alice"), server.signs_in("bob")
    for person, connection in [(alice, FIRST), (bob, SECOND), (alice, FIRST), (bob, FIRST)]:
        session = person.checks(connection).session
        person.unchecks(session)
    eventually(lambda: server.share.has(session) and server.share.is_signed())
    return server.stops()


def report_of(server):
    """This week's report."""
    return next(server.audit_dir.glob("audit-*.csv"))


def lines_of(report):
    return report.read_bytes().splitlines(keepends=True)


def contents(server):
    folders = (server.data_dir, server.audit_dir)
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def is_sound(server):
    output = server.runs("audit", "verify").is_done()
    assert "4 rows" in output and output.count("whole") == 4


def names(server, *words):
    """Asserts that something is found, and how it is named."""
    done = server.runs("audit", "verify")
    assert done.code == 1, done
    assert all(word in done.output for word in words), done


def test_what_nobody_touched_is_sound(audited):
    before = contents(audited)
    is_sound(audited)
    assert contents(audited) == before, "it only reads"


def test_it_runs_beside_a_server(audited):
    audited.starts()
    is_sound(audited)
    alice = audited.signs_in("alice")
    alice.unchecks(alice.checks(FIRST).session)
    output = audited.runs("audit", "verify").is_done()
    assert "5 rows" in output, "a report that is about to follow is no alarm"


def test_an_edited_row_is_named(audited):
    report = report_of(audited)
    lines = lines_of(report)
    report.write_bytes(b"".join([*lines[:2], lines[2].replace(b"bob", b"eve"), *lines[3:]]))
    names(audited, report.name, "line 3", "was changed")


def test_a_removed_a_doubled_and_an_invented_row_are_named(audited):
    report = report_of(audited)
    lines = lines_of(report)
    report.write_bytes(b"".join(lines[:1] + lines[2:]))
    names(audited, "is missing")
    report.write_bytes(b"".join([*lines, lines[1]]))
    names(audited, "line 6", "is there twice")
    report.write_bytes(b"".join([*lines[:2], lines[1].replace(lines[1][-34:-2], b"0" * 32), *lines[2:]]))
    names(audited, "line 3", "knows no such session")


def test_swapped_rows_are_named(audited):
    report = report_of(audited)
    lines = lines_of(report)
    report.write_bytes(b"".join([lines[0], lines[2], lines[1], *lines[3:]]))
    names(audited, "line 3", "was moved")


def test_a_report_that_is_gone_and_one_from_nowhere_are_named(audited):
    report = report_of(audited)
    report.rename(report.with_name("audit-2020-W01.csv"))
    names(audited, f"{report.name}: missing", "audit-2020-W01.csv: differs")


def test_a_changed_record_is_named_with_file_and_line(audited):
    segment = audited.data_dir / "ledger" / "audit" / "000001.jsonl"
    segment.write_bytes(segment.read_bytes().replace(b"alice", b"carol", 1))
    names(audited, "ledger audit:", "000001.jsonl line", "the line was changed", "ledger keys: whole")


def test_a_ledger_that_is_not_there_is_said(make_server):
    done = make_server().runs("audit", "verify", DATA_DIR="nowhere")
    assert done.code == 1
    assert "DATA_DIR" in done.output + done.words


# Checkpoints.


def public_key(server):
    """The key that proves checkpoints, as it is printed."""
    return server.runs("audit", "verify").is_done().strip().splitlines()[-1].split()[-1]


def checkpoint_of(server):
    return next(server.audit_dir.glob("audit-*.checkpoint"))


def test_copies_of_reports_are_proved_by_their_checkpoints_alone(audited, make_server):
    key = public_key(audited)
    elsewhere = make_server()

    def proves():
        return elsewhere.runs("audit", "verify", "--reports", str(audited.audit_dir), "--key", key)

    assert "as it was signed, 4 rows" in proves().is_done()
    report = report_of(audited)
    lines = lines_of(report)
    for changed in [[*lines[:2], lines[2].replace(b"bob", b"eve"), *lines[3:]], lines[:-1], [*lines, lines[1]], []]:
        report.write_bytes(b"".join(changed))
        assert proves().code == 1
    report.unlink()
    assert proves().code == 1
    report.write_bytes(b"".join(lines))
    proves().is_done()
    checkpoint_of(audited).unlink()
    assert "checkpoint is missing" in proves().output


def test_a_checkpoint_of_another_key_proves_nothing(audited, make_server):
    other = make_server().starts()
    alice = other.signs_in("alice")
    session = alice.checks(FIRST).session
    alice.unchecks(session)
    eventually(lambda: other.share.has(session) and other.share.is_signed())
    other.stops()
    key = public_key(other)
    done = audited.runs("audit", "verify", "--reports", str(audited.audit_dir), "--key", key)
    assert done.code == 1 and "not of this key" in done.output


def test_a_ledger_that_was_cut_off_is_named_by_its_checkpoint(audited):
    segment = audited.data_dir / "ledger" / "audit" / "000001.jsonl"
    records = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(records[:-1]))
    report = report_of(audited)
    report.write_bytes(b"".join(lines_of(report)[:-1]))
    names(audited, "ledger audit: whole", "the ledger does not have")


def proved(folder, server, key):
    return server.runs("audit", "verify", "--reports", str(folder), "--key", key)


def test_the_first_row_that_was_changed_is_named_without_the_ledger(audited):
    key, report = public_key(audited), report_of(audited)
    lines = lines_of(report)
    for changed, words in [
        ([*lines[:2], lines[2].replace(b"bob", b"eve"), *lines[3:]], "line 3, of the session"),
        ([*lines[:2], *lines[3:]], "line 3, of the session"),
        ([lines[0], lines[2], lines[1], *lines[3:]], "line 2, of the session"),
        ([*lines[:3], lines[1], *lines[3:]], "line 4, of the session"),
        (lines[:-1], "line 5 and what followed is missing, 1 rows"),
        ([*lines, lines[1]], "line 6, of the session"),
        ([lines[0].replace(b"main", b"Main"), *lines[1:]], "line 1 is the first"),
    ]:
        report.write_bytes(b"".join(changed))
        done = proved(audited.audit_dir, audited, key)
        assert done.code == 1 and words in done.output, done


def test_an_empty_folder_proves_nothing_and_says_so(audited, tmp_path):
    done = proved(tmp_path, audited, public_key(audited))
    assert done.code == 1 and "there is no report in the folder" in done.output


def test_remarks_of_people_are_named_as_theirs(audited):
    report = report_of(audited)
    lines = lines_of(report)
    report.write_bytes(b"".join([*lines[:2], lines[2].replace(b"\r\n", b",seen\r\n"), *lines[3:], b"a remark\r\n"]))
    names(audited, "line 3: cells that are not the server's", "line 6: not the server's")


def test_an_older_copy_of_report_and_checkpoint_is_named(audited):
    key = public_key(audited)
    kept = {path: path.read_bytes() for path in audited.audit_dir.glob("audit-*")}
    audited.starts()
    alice = audited.signs_in("alice")
    session = alice.checks(FIRST).session
    alice.unchecks(session)
    eventually(lambda: audited.share.has(session) and audited.share.is_signed())
    audited.stops()
    for path, content in kept.items():
        path.write_bytes(content)
    names(audited, "is missing", session["id"])
    done = proved(audited.audit_dir, audited, key)
    assert done.code == 1 and "older copy" in done.output, done


def test_a_busy_server_raises_no_alarm(audited, at_once):
    audited.starts()
    people = [audited.signs_in(name) for name in ("alice", "bob")]
    stop = []

    def works(person, line):
        while not stop:
            person.unchecks(person.checks(line).session)

    def verifies():
        try:
            return [audited.runs("audit", "verify") for _ in range(3)]
        finally:
            stop.append(True)

    done = at_once([verifies, lambda: works(people[0], FIRST), lambda: works(people[1], SECOND)])
    assert all(ended.code == 0 for ended in done[0]), done[0]
