"""From a message to the mail: over STARTTLS with a login, once, whatever happened in between."""

import email.utils
import time

import pytest

from support.certificates import make_certificates
from support.mail_server import MAIL_TO, PASSWORD, USER, MailServer
from support.waiting import eventually


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def mail_server(certificates):
    server = MailServer(certificates).starts()
    yield server
    server.stops()


@pytest.fixture
def relay(make_server, mail_server):
    """A server that mails."""
    return make_server(**mail_server.settings()).starts()


@pytest.fixture
def script(relay):
    """A monitoring script."""
    return relay.signs_in("promon")


def arrived(mail_server):
    """The one mail that was taken."""
    eventually(lambda: mail_server.taken)
    assert len(mail_server.taken) == 1
    return mail_server.taken[0]


def becomes(person, message_id, status):
    """Waits until a message is at that status, and gives it."""
    return eventually(lambda: (message := person.message(message_id))["status"] == status and message)


def is_tried(person, message_id, times=1):
    """Waits until a message was tried so often, and gives it."""
    return eventually(lambda: (message := person.message(message_id))["attempts"] >= times and message)


def test_a_message_arrives_as_a_mail(mail_server, script):
    answer = script.places("the disk is full", subject="Alarm").is_done()
    assert answer["status"] == "queued"
    attempt = arrived(mail_server)
    assert attempt.was_private
    assert (attempt.sender, attempt.recipients) == (USER, (MAIL_TO,))
    assert (attempt.mail["From"], attempt.mail["To"]) == (USER, MAIL_TO)
    assert attempt.mail["Subject"] == "Alarm"
    assert attempt.text.strip() == "the disk is full"
    assert attempt.message_id.startswith("<") and attempt.message_id.endswith("@example.com>")
    sent_at = email.utils.parsedate_to_datetime(attempt.mail["Date"]).timestamp()
    assert abs(sent_at - time.time()) < 60
    message = becomes(script, answer["id"], "sent")
    assert (message["attempts"], message["last_words"]) == (1, "250 2.0.0 taken")
    assert mail_server.logins == [("PLAIN", True)]


def test_the_newer_call_mails_as_well(mail_server, script):
    message_id = script.hands_in("hello")
    assert arrived(mail_server).text.strip() == "hello"
    becomes(script, message_id, "sent")


@pytest.mark.parametrize("mechanism", ["LOGIN", "PLAIN"])
def test_a_server_that_knows_one_way_to_log_in_is_content(make_server, mail_server, mechanism):
    mail_server.stops()
    other = {"LOGIN": "PLAIN", "PLAIN": "LOGIN"}[mechanism]
    mail_server.starts(auth_exclude_mechanism=[other])
    server = make_server(**mail_server.settings()).starts()
    server.signs_in("promon").hands_in("hello")
    arrived(mail_server)
    assert mail_server.logins == [(mechanism, True)]


def test_without_a_subject_the_first_line_is_one(mail_server, script):
    script.hands_in("\n\ndisk full on db7\nmore of it")
    assert arrived(mail_server).mail["Subject"] == "disk full on db7"


def test_the_priority_is_told_to_the_reader(mail_server, script):
    script.hands_in("hello", priority=1)
    assert arrived(mail_server).mail["X-Priority"].startswith("1")


def test_several_get_it_where_several_are_named(make_server, mail_server):
    server = make_server(**mail_server.settings(MAIL_TO="a@example.com, b@example.com")).starts()
    script = server.signs_in("promon")
    script.hands_in("to both")
    assert set(arrived(mail_server).recipients) == {"a@example.com", "b@example.com"}
    script.hands_in("to one", to="b@example.com")
    eventually(lambda: len(mail_server.taken) == 2)
    assert mail_server.taken[1].recipients == ("b@example.com",)
    script.places("hello", to=["c@example.com"]).is_refused("forbidden")


TEXTS = {
    "umlauts": "Grüße aus Köln: die Temperatur ist 40 °C",
    "emoji": "\N{LOCK}" * 50,
    "right to left": "שלום עולם",
    "a long line": "x" * 20_000,
    "many lines": "\n".join(f"line {number}" for number in range(2_000)),
    "dots": "one\n.\ntwo\n..\nthree",
    "the end of a mail": "one\n.\nQUIT\nMAIL FROM:<evil@example.com>\ntwo",
    "headers": "Subject: another\nBcc: evil@example.com\n\nbody",
    "spaces": "  indented\n\ttab   \n\n\nend",
    "nothing that fits in ASCII": "ä" * 10_000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_text_arrives_as_it_was(mail_server, script, text):
    script.hands_in(text, subject="a text")
    attempt = arrived(mail_server)
    assert attempt.text.rstrip("\n") == text.rstrip("\n")
    assert max(len(line) for line in attempt.content.split(b"\r\n")) <= 998


HOSTILE = {
    "CR LF": "hello\r\nBcc: evil@example.com",
    "LF": "hello\nBcc: evil@example.com",
    "CR": "hello\rBcc: evil@example.com",
    "a body": "hello\r\n\r\nanother body",
    "the end of a mail": "hello\r\n.\r\nMAIL FROM:<evil@example.com>",
    "NUL": "hello\0world",
    "other line ends": "hello\u2028Bcc: evil@example.com\u0085X: y",
    "an encoded word": "=?utf-8?q?hello=0D=0ABcc:_evil@example.com?=",
}


@pytest.mark.parametrize("subject", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("is_first_line", [False, True])
def test_nothing_escapes_into_the_headers(mail_server, script, subject, is_first_line):
    script.hands_in(subject) if is_first_line else script.hands_in("the text", subject=subject)
    attempt = arrived(mail_server)
    head = attempt.content.split(b"\r\n\r\n")[0].decode()
    names = {line.split(":")[0].lower() for line in head.split("\r\n") if not line.startswith((" ", "\t"))}
    assert not names & {"bcc", "x"} and attempt.recipients == (MAIL_TO,)
    assert "\n" not in head.replace("\r\n", "") and "\r" not in head.replace("\r\n", "") and "\0" not in head
    if not is_first_line:
        assert attempt.text.strip() == "the text"


@pytest.mark.parametrize("subject", ["Grüße \N{LOCK}", "x" * 200, "ä" * 200, 'a, b; c: <d> "e"'])
def test_a_subject_arrives_as_it_was(mail_server, script, subject):
    script.hands_in("hello", subject=subject)
    assert arrived(mail_server).mail["Subject"] == subject


def test_a_subject_that_is_too_long_is_refused(script):
    script.places("hello", subject="x" * 201).is_refused("bad_request")


# What goes wrong.


def test_a_mail_server_that_is_away_is_waited_for(relay, mail_server, script):
    mail_server.stops()
    message_id = script.hands_in("hello")
    message = is_tried(script, message_id)
    assert message["status"] == "queued"
    assert message["last_words"] and message["next_attempt_at"]
    finding = eventually(lambda: relay.findings("mail"))[0]
    assert message["last_words"] in finding
    assert relay.readiness()["status"] == "degraded"
    relay.restarts()
    is_tried(script, message_id, times=2)
    mail_server.starts()
    relay.restarts()
    assert arrived(mail_server).text.strip() == "hello"
    becomes(script, message_id, "sent")
    eventually(lambda: relay.readiness() == {"status": "ok", "findings": []})


def test_a_message_that_waits_is_tried_at_once_when_an_admin_asks(mail_server, script):
    mail_server.says = ["451 4.3.0 later"]
    message_id = script.hands_in("hello")
    words = is_tried(script, message_id)["last_words"]
    assert "451" in words and "4.3.0 later" in words
    script.asks("POST", f"/api/v1/messages/{message_id}/retry").is_done()
    arrived(mail_server)
    becomes(script, message_id, "sent")
    script.asks("POST", f"/api/v1/messages/{message_id}/retry").is_refused("already_sent")


def test_the_message_id_stays_the_same_over_all_attempts(relay, mail_server, script):
    mail_server.says = ["451 4.3.0 later", "452 4.2.2 full"]
    message_id = script.hands_in("hello")
    for times in (1, 2):
        message = is_tried(script, message_id, times)
        assert message["status"] == "queued" and message["next_attempt_at"]
        relay.comes_back_after_a_kill() if times == 1 else relay.restarts()
    becomes(script, message_id, "sent")
    assert len(mail_server.attempts) == 3
    assert len({attempt.message_id for attempt in mail_server.attempts}) == 1
    assert len({attempt.content for attempt in mail_server.attempts}) == 1


def test_each_message_has_its_own_message_id(mail_server, script):
    for _ in range(3):
        script.hands_in("hello")
    eventually(lambda: len(mail_server.taken) == 3)
    assert len({attempt.message_id for attempt in mail_server.taken}) == 3


def test_messages_are_mailed_in_their_order(mail_server, script):
    for number in range(10):
        script.hands_in(str(number))
    eventually(lambda: len(mail_server.taken) == 10)
    assert [attempt.text.strip() for attempt in mail_server.taken] == [str(number) for number in range(10)]


@pytest.mark.parametrize("where", ["says", "says_of_recipients"])
def test_a_refusal_for_good_fails_with_the_servers_words(mail_server, script, where):
    setattr(mail_server, where, ["550 5.7.1 we do not want that"])
    message_id = script.hands_in("hello")
    message = becomes(script, message_id, "failed")
    assert "550" in message["last_words"] and "we do not want that" in message["last_words"]
    assert message["next_attempt_at"] is None and message["ended_at"]
    second = script.hands_in("another")
    becomes(script, second, "sent")
    assert script.message(message_id)["attempts"] == 1
    script.asks("POST", f"/api/v1/messages/{message_id}/retry").is_done()
    becomes(script, message_id, "sent")


def test_a_finding_is_over_when_nothing_waits(relay, mail_server, script):
    mail_server.says = ["451 4.3.0 later", "550 5.7.1 never"]
    message_id = script.hands_in("hello")
    eventually(lambda: relay.findings("mail"))
    script.asks("POST", f"/api/v1/messages/{message_id}/retry").is_done()
    becomes(script, message_id, "failed")
    eventually(lambda: relay.findings("mail") == [], within=5)


def test_a_wrong_login_keeps_the_message_and_is_a_finding(make_server, mail_server):
    server = make_server(**mail_server.settings(MAIL_PW="a wrong password")).starts()
    script = server.signs_in("promon")
    message_id = script.hands_in("hello")
    assert is_tried(script, message_id)["status"] == "queued"
    finding = eventually(lambda: server.findings("mail"))[0]
    assert "535" in finding and "a wrong password" not in finding
    assert mail_server.attempts == [] and not any(known for _, known in mail_server.logins)
    server.stops()
    server.settings["MAIL_PW"] = PASSWORD
    server.starts()
    becomes(script, message_id, "sent")


def test_a_certificate_of_nobody_known_gets_nothing(make_server, mail_server):
    server = make_server(**mail_server.settings(SSL_CERT_FILE=None)).starts()
    script = server.signs_in("promon")
    message = is_tried(script, script.hands_in("hello"))
    assert message["status"] == "queued" and "certificate" in message["last_words"].lower()
    assert mail_server.logins == [] and mail_server.attempts == []


def test_a_server_without_starttls_gets_nothing(make_server, mail_server):
    mail_server.stops()
    mail_server.starts(tls_context=None, require_starttls=False, auth_require_tls=False)
    server = make_server(**mail_server.settings()).starts()
    script = server.signs_in("promon")
    message = is_tried(script, script.hands_in("hello"))
    assert message["status"] == "queued" and "STARTTLS" in message["last_words"].upper()
    assert mail_server.logins == [] and mail_server.attempts == []


def test_a_message_accepted_before_a_kill_is_mailed_after_the_start(relay, mail_server, script):
    mail_server.stops()
    ids = [script.hands_in(str(number)) for number in range(5)]
    relay.is_killed()
    mail_server.starts()
    relay.starts()
    eventually(lambda: len(mail_server.taken) == 5)
    for message_id in ids:
        becomes(script, message_id, "sent")


def test_what_was_held_is_mailed_once_there_is_a_mail_server(make_server, mail_server):
    server = make_server().starts()
    script = server.signs_in("promon")
    message_id = script.hands_in("hello")
    server.stops()
    server.settings |= {name: str(value) for name, value in mail_server.settings().items()}
    server.starts()
    assert arrived(mail_server).text.strip() == "hello"
    becomes(script, message_id, "sent")


def test_the_board_does_not_wait_for_the_mail_server(relay, mail_server, script):
    mail_server.stops()
    script.hands_in("hello")
    session = relay.signs_in("alice").checks("vpn main 1;vpn sub 1").session
    assert session["user"] == "alice"
    assert relay.visitor().gets("/healthz").status == 200


def test_nothing_sent_is_sent_again_after_a_restart(relay, mail_server, script):
    message_id = script.hands_in("hello")
    becomes(script, message_id, "sent")
    relay.restarts()
    relay.comes_back_after_a_kill()
    second = script.hands_in("another")
    becomes(script, second, "sent")
    assert len(mail_server.attempts) == 2


def test_a_stop_in_the_middle_of_a_mail_does_not_mail_it_twice(mail_server, relay, script):
    mail_server.thinks_for = 0.5
    message_id = script.hands_in("hello")
    eventually(lambda: mail_server.attempts)
    relay.restarts()
    becomes(relay.signs_in("promon"), message_id, "sent")
    assert len(mail_server.attempts) == 1
