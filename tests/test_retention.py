"""Retention: what is old goes, and the chain says so; what was replaced leaves the disk."""

import hashlib
import json
import re
from datetime import datetime, timedelta, timezone

import pytest

from support.access_tokens import claims
from support.disk import files_with, lines_of, newest_segment, segments
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"
STREAMS = ("audit", "access", "relay", "keys")
TIME = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"')
WEEK = re.compile(rb'"week":"\d{4}-W\d\d"')
ENDED = re.compile(rb',"prev":"[0-9a-f]{64}","hash":"[0-9a-f]{64}"\}\n$')


def earlier(days):
    """Gives a time in a line as it was so many days before."""

    def changed(found):
        time = datetime.fromisoformat(found[1].decode().replace("Z", "+00:00"))
        text = (time - timedelta(days=days)).isoformat().replace("+00:00", "Z")
        return b'"' + text.encode() + b'"'

    return changed


def grows_older(server, days):
    """Makes the whole ledger as if all had happened so many days before."""
    year, number, _ = (datetime.now(timezone.utc) - timedelta(days=days)).isocalendar()
    week = f'"week":"{year}-W{number:02}"'.encode()
    for stream in STREAMS:
        previous = None
        for segment in segments(server, stream):
            lines = []
            for line in lines_of(segment):
                previous = previous or json.loads(line)["prev"]
                aged = WEEK.sub(week, TIME.sub(earlier(days), ENDED.sub(b"", line)))
                opened = aged + f',"prev":"{previous}"'.encode()
                previous = hashlib.sha256(opened).hexdigest()
                lines.append(opened + f',"hash":"{previous}"'.encode() + b"}\n")
            segment.write_bytes(b"".join(lines))


@pytest.fixture
def old(make_server):
    """A stopped server whose ledger is 500 days old; its share was emptied."""
    server = make_server(RETENTION_AUDIT_DAYS=450).starts()
    alice, dave = server.signs_in("alice"), server.signs_in("dave")
    alice.unchecks(alice.checks(FIRST, note="an old note").session)
    dave.hands_in("an old message that is held")
    eventually(lambda: len(server.share.rows()) == 1)
    server.signs_in("carol").downloads(server.share.file().name)
    server.stops()
    grows_older(server, 500)
    for path in server.audit_dir.iterdir():
        path.unlink()
    return server


def is_dropped(server, stream, text):
    return not files_with(server.data_dir / "ledger" / stream, text)


def test_what_is_old_goes_and_verify_says_so(old):
    old.starts()
    eventually(lambda: is_dropped(old, "audit", "an old note") and is_dropped(old, "access", "carol"))
    assert files_with(old.data_dir / "ledger" / "relay", "an old message"), "it has no end yet"
    printed = old.runs("audit", "verify").is_done()
    for stream in ("audit", "access"):
        assert re.search(rf"ledger {stream}: whole.*\n  records 1 to \d+ were dropped on 20", printed), printed
    alice = old.signs_in("alice")
    session = alice.checks(SECOND, note="a new note").session
    old.restarts()
    assert old.signs_in("alice").board()[SECOND]["sessions"] == [session]
    old.signs_in("alice").unchecks(session)
    eventually(lambda: old.share.has(session))
    assert "dropped" in old.runs("audit", "verify").is_done()


def test_a_segment_that_is_missing_without_a_record_is_damage(old):
    old.starts()
    eventually(lambda: is_dropped(old, "audit", "an old note"))
    alice = old.signs_in("alice")
    for number in range(3):
        alice.unchecks(alice.checks(FIRST, note=f"note {number}").session)
        old.restarts()
        alice = old.signs_in("alice")
    eventually(lambda: sum(row["note"].startswith("note ") for row in old.share.rows()) == 3)
    old.runs("audit", "verify").is_done()
    old.stops()
    gone = segments(old, "audit")[0]
    gone.rename(old.folder / "gone")
    said = old.runs("audit", "verify")
    assert said.code == 1 and "missing" in said.output, said


def test_unset_the_audit_is_kept_for_good(old):
    del old.settings["RETENTION_AUDIT_DAYS"]
    old.starts()
    eventually(lambda: is_dropped(old, "access", "carol"))
    assert not is_dropped(old, "audit", "an old note")
    eventually(lambda: len(old.share.rows()) == 1)


def test_a_backup_of_what_was_dropped_comes_back(old):
    old.starts()
    eventually(lambda: is_dropped(old, "audit", "an old note"))
    held = old.signs_in("alice").checks(FIRST).session
    backup = old.folder / "backup"
    old.runs("backup", str(backup)).is_done()
    old.stops()
    old.data_dir.rename(old.folder / "lost")
    old.runs("restore", str(backup)).is_done()
    old.starts()
    assert old.signs_in("alice").board()[FIRST]["sessions"] == [held]
    assert "dropped" in old.runs("audit", "verify").is_done()


def hashes_of(server, user):
    """The password hashes of an account that stand anywhere on the disk."""
    found = set()
    for segment in segments(server, "keys"):
        for line in lines_of(segment):
            body = json.loads(line)["body"]
            for fact in [body, *body.get("items", [])]:
                fact = fact.get("body", fact)
                # In a snapshot an account stands as one item.
                fact = fact.get("account", fact)
                hash_of_it = fact.get("hash") or fact.get("password")
                if fact.get("user") == user and hash_of_it:
                    found.add(hash_of_it)
    return found


def test_a_replaced_password_and_an_ended_sign_in_leave_the_disk(server):
    (old,) = hashes_of(server, "alice")
    browser = server.signs_in_browser("bob")
    cookie = browser.cookie
    server.runs("user", "set-password", "alice", given="another password of alice").is_done()
    eventually(lambda: not files_with(server.data_dir, old))
    assert len(hashes_of(server, "alice")) == 1
    browser.signs_out()
    ended = claims(cookie.value)["jti"]
    eventually(lambda: not files_with(server.data_dir, ended))
    (second,) = hashes_of(server, "alice")
    server.runs("user", "set-password", "alice", given="a third password of alice").is_done()
    server.stops()
    assert not files_with(server.data_dir, second), "a stop removes it too"
    server.runs("user", "set-password", "alice", given="the last password of alice").is_done()
    assert len(hashes_of(server, "alice")) == 1, "and so does the command without a server"
    server.starts()
    assert server.logs_in("alice", "the last password of alice").status == 200
    assert server.logs_in("alice", "a third password of alice").status == 401
    assert "ledger keys: whole" in server.runs("audit", "verify").output


def test_days_have_bounds(server):
    for value in ("0", "36501", "many"):
        server.runs("config", "check", RETENTION_RELAY_DAYS=value).output.index("RETENTION_RELAY_DAYS")
        assert server.runs("config", "check", RETENTION_RELAY_DAYS=value).code == 1
    assert newest_segment(server, "keys").exists()
