"""What Prometheus reads."""

import pytest

from support.day import FIRST
from support.waiting import eventually


def metrics(answer):
    """The values of an exposition by name and labels."""
    assert answer.status == 200, answer
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: int(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_what_is_measured_follows_the_board(server):
    visitor = server.visitor()
    before = metrics(visitor.gets("/metrics"))
    assert before["vpn_sessions_ready"] == 1 and before["vpn_sessions_sessions"] == 0
    assert sum(name.startswith("vpn_sessions_build_info{version=") for name in before) == 1
    server.signs_in("alice").checks(FIRST)
    assert metrics(visitor.gets("/metrics"))["vpn_sessions_sessions"] == 1


def test_what_is_wrong_is_named_and_ends(server):
    visitor = server.visitor()
    users = server.config_dir / "users.txt"
    whole = users.read_text()
    finding = 'vpn_sessions_finding_begun_timestamp_seconds{part="config",code="users_file"}'
    users.write_text("alice\nalice\n")
    eventually(lambda: finding in metrics(visitor.gets("/metrics")))
    users.write_text(whole)
    eventually(lambda: finding not in metrics(visitor.gets("/metrics")))


@pytest.mark.parametrize("headers", [{"X-Forwarded-For": "10.0.0.1"}, {"Host": "board.example"}, {"Via": "1.1 proxy"}])
def test_without_a_token_only_this_machine_reads(server, headers):
    server.visitor().gets("/metrics", headers=headers).is_refused("unauthorized")


def test_a_token_that_is_wrong_is_refused_here_too(server):
    server.visitor().gets("/metrics", headers={"Authorization": "Bearer wrong"}).is_refused("unauthorized")
