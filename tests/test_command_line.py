"""What the commands print, and how they end."""

import pytest

from support.program import run

COMMANDS = ["", "serve", "user", "user set-password", "user list", "config", "config check", "health"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("argument", ["--help", "-h"])
def test_help_is_everywhere(command, argument):
    shown = run(*command.split(), argument).is_done()
    assert "Usage: vpn-sessions" in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_the_version_is_everywhere(command):
    version = run("--version").is_done().split()[-1]
    assert version.count(".") == 2
    assert run(*command.split(), "--version").is_done().split()[-1] == version


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "--nonsense",
        "serve nonsense",
        "user",
        "user nonsense",
        "user set-password",
        "config",
        "config nonsense",
        "--listen",
        "--listen nonsense",
        "--timezone Berlin config check",
        "--hc-pw secret",
    ],
)
def test_wrong_usage_ends_with_2(line):
    ended = run(*line.split())
    assert ended.code == 2, ended
    assert ended.words or ended.output


def test_serve_is_the_default_command(make_server):
    make_server().starts()
    make_server().starts("serve")


def test_health_tells_whether_the_server_answers(make_server):
    server = make_server()
    server.runs("health").is_refused(server.url)
    server.starts()
    server.runs("health").is_done()
    server.stops()
    server.runs("health").is_refused(server.url)
