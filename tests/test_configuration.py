"""Where settings come from, which one holds, and what `config check` says of them."""

import json

import pytest

from support.program import free_port
from support.server import SECRET_KEY, SERVICE_PASSWORD


def checked(server, *arguments, **settings):
    """What `config check --json` says is in force, by name: value and origin."""
    report = json.loads(server.runs("config", "check", "--json", *arguments, **settings).is_done())
    return {setting["name"]: (setting["value"], setting["origin"]) for setting in report["settings"]}


def test_the_layers_lie_over_each_other(make_server):
    server = make_server()
    file = server.config_dir / "vpn-sessions.toml"
    assert checked(server)["HC_USER"] == ("promon", "default")
    file.write_text('# who\nhc_user = "from-file"\n')
    assert checked(server)["HC_USER"] == ("from-file", f"{file}:2")
    assert checked(server, HC_USER="from-environment")["HC_USER"] == ("from-environment", "environment")
    told = checked(server, "--hc-user", "from-command-line", HC_USER="from-environment")
    assert told["HC_USER"] == ("from-command-line", "command line")


@pytest.mark.parametrize("user", ["promon", "from-file", "from-environment", "from-command-line"])
def test_the_server_uses_what_is_in_force(make_server, user):
    layers = ["promon", "from-file", "from-environment", "from-command-line"]
    below = layers[: layers.index(user) + 1]
    toml = 'hc_user = "from-file"' if "from-file" in below else ""
    environment = {"HC_USER": "from-environment"} if "from-environment" in below else {}
    arguments = ["--hc-user", user] if user == "from-command-line" else []
    server = make_server(seed=None, toml=toml, **environment).starts(*arguments)
    assert server.signs_in(user, SERVICE_PASSWORD).gets("/api/test").is_done() == {"user": user, "role": "admin"}
    for other in set(layers) - {user}:
        server.logs_in(other, SERVICE_PASSWORD).is_refused("unauthorized")


def test_the_file_is_enough(make_server):
    server = make_server(seed=None, LISTEN=None, DATA_DIR=None, AUDIT_DIR=None, HC_PW=None, SECRET_KEY=None)
    server.writes(
        "vpn-sessions.toml",
        f'listen = "127.0.0.1:{server.port}"\ndata_dir = "{server.folder}/kept"\naudit_dir = "{server.folder}/share"\n'
        f'hc_pw = "{SERVICE_PASSWORD}"\nsecret_key = "{SECRET_KEY}"\n',
    )
    server.starts()
    assert server.signs_in("promon")
    assert (server.folder / "kept" / "ledger").is_dir() and (server.folder / "share").is_dir()


def test_the_command_line_is_enough(make_server):
    server = make_server(seed=None, LISTEN=None, DATA_DIR=None, AUDIT_DIR=None, CONFIG_DIR=None)
    server.starts(
        *("--config-dir", "config"),
        *("--data-dir", "kept"),
        *("--audit-dir", "share"),
        *("serve", "--listen", f"127.0.0.1:{server.port}"),
    )
    assert server.signs_in("promon")
    assert (server.folder / "kept" / "ledger").is_dir() and (server.folder / "share").is_dir()


def test_an_empty_variable_is_an_unset_one(make_server):
    server = make_server(toml='hc_user = "from-file"', HC_USER="", TIMEZONE="", BOARD_ACCESS="", MAIL_SERVER="")
    told = checked(server, HC_PW_FILE="", PORT="")
    assert told["HC_USER"][0] == "from-file"
    assert told["TIMEZONE"] == ("UTC", "default")
    server.starts()
    assert server.signs_in("from-file", SERVICE_PASSWORD)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_may_stand_in_a_file(make_server, ending):
    server = make_server(seed=None, HC_PW=None)
    (server.folder / "secret").write_bytes((" from a file " + ending).encode())
    server.settings["HC_PW_FILE"] = str(server.folder / "secret")
    server.starts()
    assert server.signs_in("promon", " from a file ")
    server.logs_in("promon", "from a file").is_refused("unauthorized")


def test_every_secret_may_stand_in_a_file(make_server):
    server = make_server(SECRET_KEY=None)
    secret = server.folder / "secret"
    secret.write_text("a secret, long enough for every purpose\n")
    names = ("SECRET_KEY", "MAIL_PW", "MAIL_OAUTH_CLIENT_SECRET", "OIDC_CLIENT_SECRET")
    groups = {
        "MAIL_USER": "a@example.com",
        "MAIL_OAUTH_TOKEN_URL": "https://login.example.com",
        "MAIL_OAUTH_CLIENT_ID": "a",
        "OIDC_ISSUER": "https://login.example.com",
        "OIDC_CLIENT_ID": "a",
    }
    told = checked(server, **{f"{name}_FILE": str(secret) for name in names}, **groups)
    for name in names:
        value, origin = told[name]
        assert f"{name}_FILE" in origin and "long enough" not in value


def test_port_alone_means_every_address(make_server):
    server = make_server(LISTEN=None)
    port = str(free_port())
    assert checked(server, PORT=port)["LISTEN"] == (f"0.0.0.0:{port}", "PORT")
    assert checked(server, PORT=port, LISTEN="127.0.0.1:5000")["LISTEN"][0] == "127.0.0.1:5000"
    assert checked(server)["LISTEN"] == ("127.0.0.1:5000", "default")


def test_secrets_are_never_shown(make_server):
    toml = '[mail]\npw = "the mail password"\n'
    server = make_server(toml=toml, MAIL_USER="a@example.com")
    for format_of in ([], ["--json"]):
        shown = server.runs("config", "check", *format_of).is_done()
        for secret in (SERVICE_PASSWORD, SECRET_KEY, "the mail password"):
            assert secret not in shown


def test_config_check_names_every_setting_and_counts_what_is_wrong(make_server):
    shown = make_server().runs("config", "check").is_done()
    for name in ("CONFIG_DIR", "LISTEN", "HC_PW", "MAIL_SERVER", "TRUSTED_PROXIES", "socket.max_payload"):
        assert name in shown
    assert shown.splitlines()[-1] == "errors: 0, warnings: 0"


def test_config_check_warns_of_what_is_for_trying_out(make_server):
    server = make_server(HC_PW="12345", SECRET_KEY="secret", BOARD_ACCESS="open")
    shown = server.runs("config", "check").is_done()
    assert shown.splitlines()[-1] == "errors: 0, warnings: 3"
    assert shown.count("warning: ") == 3


def test_config_check_fails_where_a_start_would(make_server):
    server = make_server(HC_PW="12345", LISTEN="0.0.0.0:5000")
    ended = server.runs("config", "check")
    assert ended.code == 1
    assert "error: HC_PW" in ended.output + ended.words
    for wrong in ({"TIMEZONE": "Berlin"}, {"HC_PW_FILE": "not/there"}):
        ended = server.runs("config", "check", **wrong)
        assert ended.code == 1
        assert next(iter(wrong)) in ended.output + ended.words


def test_config_check_changes_nothing(make_server):
    server = make_server(seed=None)
    server.runs("config", "check").is_done()
    assert not server.data_dir.exists() and not server.audit_dir.exists()


def test_a_setting_that_has_no_effect_yet_is_a_warning(make_server):
    server = make_server(toml="[board]\nend_unconfirmed_after_minutes = 30\n")
    assert "warning: " in server.runs("config", "check").is_done()
