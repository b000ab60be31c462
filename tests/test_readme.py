"""What the README tells a new user to type works as it stands there."""

import json
import shlex
import shutil
import subprocess

import pytest

from support.program import REPOSITORY
from support.waiting import SOON


@pytest.fixture
def sample(make_server):
    """A server with the repository's own sample configuration."""
    server = make_server(seed=None, HC_PW=None, SECRET_KEY=None)
    for file in (REPOSITORY / "config").iterdir():
        shutil.copy(file, server.config_dir)
    return server.starts()


def curl_calls():
    """The README's three calls, each as one line."""
    text = (REPOSITORY / "README.md").read_text().replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.startswith("curl ")]


def types(server, call, token=""):
    """Runs a call as it stands there, but for the port and the token."""
    call = call.replace("127.0.0.1:5000", f"127.0.0.1:{server.port}").replace("[token]", token)
    words = shlex.split(call)
    words[1:1] = ["--silent", "--show-error", "--noproxy", "*", "--max-time", str(SOON)]
    ended = subprocess.run(words, env={}, capture_output=True, text=True, check=True, executable=shutil.which("curl"))
    return json.loads(ended.stdout)


def test_the_three_calls_work_verbatim_with_the_sample_configuration(sample):
    login, test, place = curl_calls()
    answer = types(sample, login)
    assert answer.keys() == {"token", "expires_at"}
    assert types(sample, test, answer["token"]) == {"user": "promon", "role": "admin"}
    assert types(sample, place, answer["token"])["status"] == "held"


def test_the_sample_board_is_entered_by_name(sample):
    browser = sample.signs_in_browser("alice", "")
    assert browser.gets("/").status == 200
    assert browser.checks("vpn main 1;vpn sub 1").session["user"] == "alice"


def test_the_sample_configuration_is_said_to_be_for_trying_out(sample):
    for setting in ("secret_key", "hc_pw", "board_access"):
        assert sample.says('"level":"WARN"', setting, "loopback"), sample.log


def test_the_first_two_commands_are_those_that_build_and_test():
    block = (REPOSITORY / "README.md").read_text().split("```sh\n")[1].splitlines()
    assert block[0].startswith("cargo run --release")
    assert block[1].startswith("./test")
