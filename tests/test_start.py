"""What a server does not start with: one line says what, where, and how to mend it."""

import socket

import pytest

from support.cases import brief
from support.program import free_port
from support.server import SERVICE_PASSWORD


def test_a_port_in_use_is_said(make_server):
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        server = make_server(LISTEN=f"127.0.0.1:{other.getsockname()[1]}")
        server.refuses_to_start(server.settings["LISTEN"], "LISTEN")


@pytest.mark.parametrize("name", ["sessions.csv", "users.txt"])
def test_a_missing_list_is_said(make_server, name):
    server = make_server()
    (server.config_dir / name).unlink()
    server.refuses_to_start(str(server.config_dir / name))


@pytest.mark.parametrize("name", ["sessions.csv", "users.txt", "vpn-sessions.toml"])
def test_an_unreadable_file_is_said(make_server, name):
    server = make_server()
    (server.config_dir / name).unlink(missing_ok=True)
    (server.config_dir / name).mkdir()
    server.refuses_to_start(str(server.config_dir / name))


def test_a_missing_configuration_directory_is_said(make_server):
    server = make_server(CONFIG_DIR="not/there")
    server.refuses_to_start("not/there")


@pytest.mark.parametrize(
    "name, content, line",
    [
        ("sessions.csv", "a;b\nc;d\na;b\n", 3),
        ("sessions.csv", "a;b\nc\n", 2),
        ("sessions.csv", "a;b\n\n# a remark\n;d\n", 4),
        ("sessions.csv", "a;b;0\n", 1),
        ("sessions.csv", "a;b;many\n", 1),
        ("sessions.csv", "a;b\n" + "x" * 100_000, 2),
        ("sessions.csv", b"a;b\nc;\xff\n", 2),
        ("users.txt", "alice\nbob\nALICE\n", 3),
        ("users.txt", "alice\nbob;boss\n", 2),
        ("users.txt", "al:ice\n", 1),
        ("users.txt", b"alice\n\xff\n", 2),
        ("users.txt", "alice\n" + "x" * 100_000, 2),
    ],
    ids=brief,
)
def test_a_broken_list_is_said_with_its_line(make_server, name, content, line):
    server = make_server()
    server.writes(name, content)
    server.refuses_to_start(f"{server.config_dir / name}: line {line}")


@pytest.mark.parametrize("where", ["DATA_DIR", "a folder above it"])
def test_a_data_directory_that_cannot_be_one_is_said(make_server, where):
    server = make_server(seed=None)
    server.data_dir.write_text("a file where the folder belongs")
    folder = server.data_dir if where == "DATA_DIR" else server.data_dir / "deeper"
    server.settings["DATA_DIR"] = str(folder)
    server.refuses_to_start(str(folder), "DATA_DIR")
    assert server.data_dir.read_text() == "a file where the folder belongs"


def test_a_data_directory_is_made_where_there_is_none(make_server):
    server = make_server(seed=None)
    server.settings["DATA_DIR"] = str(server.folder / "deep" / "down")
    server.starts()
    assert (server.folder / "deep" / "down").is_dir()


@pytest.mark.parametrize(
    "toml, line, words",
    [
        ('listn = "127.0.0.1:5000"', 1, "did you mean listen?"),
        ("\n\nnonsense = 1", 3, "nonsense"),
        ('[mail]\nserver_name = "a"', 2, "server_name"),
        ("[nonsense]\na = 1", 1, "nonsense"),
        ("jwt_minutes = 0", 1, "jwt_minutes"),
        ('jwt_minutes = "60"', 1, "jwt_minutes"),
        ('timezone = "Mars/Olympus"', 1, "IANA"),
        ('board_access = "closed"', 1, "open-to-network"),
        ("# a remark\nhc_user = 7", 2, "hc_user"),
        ("listen = ", 1, "TOML"),
        ('listen = "127.0.0.1:5000"\nlisten = "127.0.0.1:5001"', 2, "duplicate"),
    ],
)
def test_a_setting_that_is_wrong_in_the_file_is_said_with_its_line(make_server, toml, line, words):
    server = make_server(toml=toml)
    server.refuses_to_start(f"{server.config_dir / 'vpn-sessions.toml'}:{line}", words)


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("LISTEN", "5000", "127.0.0.1:5000"),
        ("LISTEN", "localhost:5000", "LISTEN"),
        ("LISTEN", "127.0.0.1:99999", "LISTEN"),
        ("TIMEZONE", "Berlin", "IANA"),
        ("BOARD_ACCESS", "OPEN", "open-to-network"),
        ("JWT_MINUTES", "an hour", "JWT_MINUTES"),
        ("MAIL_PORT", "0", "MAIL_PORT"),
        ("MAIL_TLS", "ssl", "starttls"),
        ("PUBLIC_URL", "board.example.com", "PUBLIC_URL"),
        ("TRUSTED_PROXIES", "the proxy", "TRUSTED_PROXIES"),
        ("LOG_FORMAT", "xml", "json"),
        ("HC_USER", "a:b", "HC_USER"),
        ("MAIL_SERVER", "smtp.example.com", "MAIL_TO"),
        ("MAIL_TO", "nobody", "MAIL_TO"),
    ],
)
def test_a_setting_that_is_wrong_in_the_environment_is_said(make_server, name, value, words):
    server = make_server(**{name: value})
    server.refuses_to_start(name, words)


def test_everything_that_is_wrong_is_said_at_once(make_server):
    server = make_server(toml="nonsense = 1\njwt_minutes = 0", TIMEZONE="Berlin")
    words = server.refuses_to_start("TIMEZONE", "nonsense", "jwt_minutes")
    assert len(words.strip().splitlines()) == 3


NETWORK = ["0.0.0.0", "[::]", "192.0.2.1"]


@pytest.mark.parametrize("address", NETWORK)
@pytest.mark.parametrize(
    "name, value",
    [("HC_PW", "12345"), ("SECRET_KEY", "secret"), ("SECRET_KEY", "x" * 31), ("BOARD_ACCESS", "open")],
)
def test_what_is_for_trying_out_is_refused_on_any_other_address(make_server, address, name, value):
    server = make_server(**{name: value, "LISTEN": f"{address}:{free_port()}"})
    words = server.refuses_to_start(name, "loopback")
    assert name == "BOARD_ACCESS" or f" {value}" not in words, "the secret itself is not shown"


def test_the_same_settings_are_refused_where_they_come_from_the_file(make_server):
    toml = 'hc_pw = "12345"\nsecret_key = "secret"\nboard_access = "open"'
    server = make_server(toml=toml, HC_PW=None, SECRET_KEY=None, LISTEN=None, PORT=free_port())
    words = server.refuses_to_start("hc_pw", "secret_key", "board_access")
    assert len(words.strip().splitlines()) == 3


@pytest.mark.parametrize("address", NETWORK)
def test_strong_settings_are_right_on_any_address(make_server, address):
    server = make_server(SECRET_KEY="x" * 32, HC_PW="eight ch", LISTEN=f"{address}:5000")
    server.runs("config", "check").is_done()
    server.runs("config", "check", BOARD_ACCESS="open-to-network").is_done()


def test_a_secret_and_its_file_together_are_refused(make_server):
    server = make_server()
    secret = server.folder / "secret"
    for name in ("HC_PW", "SECRET_KEY", "MAIL_PW"):
        secret.write_text("the content of the file, long enough for a key")
        server.settings[name] = SERVICE_PASSWORD + " and more"
        server.settings[f"{name}_FILE"] = str(secret)
        words = server.refuses_to_start(name, f"{name}_FILE", "unset one")
        assert SERVICE_PASSWORD not in words and "content of the file" not in words
        del server.settings[f"{name}_FILE"]


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_secrets_file_that_holds_none_is_refused(make_server, content):
    server = make_server(HC_PW=None)
    secret = server.folder / "secret"
    if content is not None:
        secret.write_bytes(content)
    server.settings["HC_PW_FILE"] = str(secret)
    server.refuses_to_start("HC_PW_FILE", str(secret))


def test_nothing_is_made_by_a_start_that_is_refused(make_server):
    server = make_server(seed=None, TIMEZONE="Berlin")
    server.refuses_to_start("TIMEZONE")
    assert not server.data_dir.exists() and not server.audit_dir.exists()
