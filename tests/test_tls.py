"""TLS of the server's own: real clients, renewal, and what is no TLS."""

import json
import os
import shutil
import socket
import ssl
import subprocess
from contextlib import suppress

import pytest
import requests
import socketio

from support.certificates import make_certificate, make_certificates
from support.people import plain_session
from support.raw_http import RawHttp
from support.waiting import SOON, eventually

FIRST = "vpn main 1;vpn sub 1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with an authority and two certificates of it: mail, and next."""
    folder = make_certificates(tmp_path_factory.mktemp("authority"))
    make_certificate(folder, "next")
    return folder


@pytest.fixture
def make_tls_server(make_server, authority, tmp_path):
    """Makes servers with a certificate of their own in `cert.pem` and `key.pem`."""

    def make(**settings):
        for name, file in (("mail.pem", "cert.pem"), ("mail.key", "key.pem")):
            shutil.copy(authority / name, tmp_path / file)
        files = {"TLS_CERT": tmp_path / "cert.pem", "TLS_KEY": tmp_path / "key.pem"}
        return make_server(authority=str(authority / "authority.pem"), **{**files, **settings})

    return make


@pytest.fixture
def tls_server(make_tls_server):
    return make_tls_server().starts()


def context(server, **details):
    """What a client trusts."""
    made = ssl.create_default_context(cafile=server.authority)
    for name, value in details.items():
        setattr(made, name, value)
    return made


def presented(server):
    """The certificate that the server shows."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=SOON) as tcp:
        with context(server).wrap_socket(tcp, server_hostname="localhost") as tls:
            return ssl.DER_cert_to_PEM_cert(tls.getpeercert(binary_form=True)).strip()


def certificate(path):
    """The certificate in a file, without what openssl says above it."""
    text = path.read_text()
    return text[text.index("-----BEGIN CERTIFICATE-----") :].strip()


def test_everything_is_served_over_tls(tls_server):
    browser = tls_server.signs_in_browser("alice")
    page = browser.gets("/")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert tls_server.signs_in("alice").checks(FIRST).session
    assert tls_server.says("Listening on https://")


def test_the_cookie_is_for_this_host_over_tls_only(tls_server):
    answer = tls_server.browser().signs_in("alice", "alice knows a long password")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-") and "; Secure" in cookie and "; Path=/" in cookie and "Domain" not in cookie


@pytest.mark.parametrize("way", [["websocket"], ["polling"], ["polling", "websocket"]], ids="-".join)
def test_sockets_come_over_tls(tls_server, way):
    session = plain_session()
    session.verify = tls_server.authority
    client = socketio.Client(reconnection=False, http_session=session)
    boards = []
    client.on("board", boards.append)
    client.connect(tls_server.url, auth={"token": tls_server.signs_in("alice").token}, transports=way)
    eventually(lambda: boards)
    assert client.call("check", {"connection": FIRST}, timeout=SOON)["ok"] is True
    client.eio.disconnect(abort=True)


def test_the_origin_is_that_of_tls(tls_server):
    browser = tls_server.signs_in_browser("alice")
    browser.posts("/api/v1/sessions", {"connection": FIRST}).session
    plain = tls_server.url.replace("https://", "http://")
    browser.posts("/api/v1/sessions", {"connection": FIRST}, headers={"Origin": plain}).is_refused("forbidden")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
def test_versions_that_are_good_are_spoken(tls_server, version):
    tls = context(tls_server, minimum_version=version, maximum_version=version)
    tls.set_alpn_protocols(["h2", "http/1.1"])
    connection = RawHttp(tls_server, tls)
    assert connection.socket.selected_alpn_protocol() == "http/1.1"
    connection.sends("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert connection.hears().startswith(b"HTTP/1.1 200")


def test_versions_that_are_old_are_refused(tls_server):
    for version in ("-tls1", "-tls1_1"):
        command = ["openssl", "s_client", version, "-connect", f"127.0.0.1:{tls_server.port}"]
        answer = subprocess.run(command, input=b"", capture_output=True, timeout=60)
        assert answer.returncode != 0 and b"BEGIN CERTIFICATE" not in answer.stdout


def test_who_does_not_speak_tls_is_told(tls_server):
    heard = RawHttp(tls_server).sends("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").hears()
    assert heard.startswith(b"HTTP/1.1 400") and b"https://" in heard
    for garbage in (b"\x16\x03\x01\x00\x05hello", b"\x00" * 100, b"SSH-2.0-x\r\n", b"\x16"):
        connection = RawHttp(tls_server).sends(garbage)
        with suppress(OSError):
            connection.socket.shutdown(socket.SHUT_WR)
        connection.hears()
    assert tls_server.visitor().gets("/healthz").status == 200


def test_a_certificate_of_another_authority_is_noticed(tls_server):
    with pytest.raises(requests.exceptions.SSLError):
        plain_session().get(tls_server.url + "/healthz", timeout=SOON)


def replace(target, source):
    """As tools that renew do it: a whole file is put in the place."""
    shutil.copy(source, f"{target}.new")
    os.replace(f"{target}.new", target)


def test_a_renewed_certificate_is_taken_up_without_a_restart(tls_server, authority, tmp_path):
    keeps = RawHttp(tls_server, context(tls_server))
    assert presented(tls_server) == certificate(authority / "mail.pem")
    replace(tmp_path / "cert.pem", authority / "next.pem")
    replace(tmp_path / "key.pem", authority / "next.key")
    eventually(lambda: presented(tls_server) == certificate(authority / "next.pem"))
    eventually(lambda: tls_server.findings("tls") == [])
    keeps.sends("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert keeps.hears().startswith(b"HTTP/1.1 200"), "connections under way go on"


BROKEN = {
    "a certificate without its key": ("cert.pem", "next.pem"),
    "a key without its certificate": ("key.pem", "next.key"),
    "garbage": ("cert.pem", None),
    "a certificate as a key": ("key.pem", "next.pem"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_pair_leaves_the_last_good_one_in_force(tls_server, authority, tmp_path, case):
    file, source = BROKEN[case]
    (tmp_path / file).write_bytes((authority / source).read_bytes() if source else b"no PEM at all\n")
    (finding,) = eventually(lambda: tls_server.findings("tls"))
    assert "the last good certificate stays in force" in finding
    assert presented(tls_server) == certificate(authority / "mail.pem")
    assert tls_server.readiness()["status"] == "degraded"
    replace(tmp_path / "cert.pem", authority / "next.pem")
    replace(tmp_path / "key.pem", authority / "next.key")
    eventually(lambda: tls_server.findings("tls") == [])
    assert presented(tls_server) == certificate(authority / "next.pem")


def test_a_certificate_that_is_taken_away_stays_in_force(tls_server, authority, tmp_path):
    (tmp_path / "key.pem").unlink()
    (finding,) = eventually(lambda: tls_server.findings("tls"))
    assert "key.pem" in finding
    assert presented(tls_server) == certificate(authority / "mail.pem")


UNFIT = {
    "no file": (None, "mail.key", ["cert.pem", "cannot be read", "TLS_CERT"]),
    "no key": ("mail.pem", None, ["key.pem", "cannot be read", "TLS_KEY"]),
    "another's key": ("mail.pem", "next.key", ["cert.pem", "cannot be used together"]),
    "a key as a certificate": ("mail.key", "mail.key", ["cert.pem", "holds no certificate"]),
    "a certificate as a key": ("mail.pem", "mail.pem", ["key.pem", "holds no private key"]),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_start_without_a_good_pair_is_refused_in_one_line(make_server, authority, tmp_path, case):
    chain, key, words = UNFIT[case]
    for source, file in ((chain, "cert.pem"), (key, "key.pem")):
        if source:
            shutil.copy(authority / source, tmp_path / file)
    server = make_server(TLS_CERT=tmp_path / "cert.pem", TLS_KEY=tmp_path / "key.pem")
    assert len(server.refuses_to_start(*words).strip().splitlines()) == 1
    checked = server.runs("config", "check", "--json")
    findings = json.loads(checked.output)["findings"]
    assert checked.code == 1
    assert any(all(word in f"{finding['place']} {finding['detail']}" for word in words) for finding in findings)


def test_commands_reach_the_server_over_tls(tls_server):
    tls_server.runs("health").is_done()
    tls_server.runs("user", "set-password", "alice", given="another long password").is_done()
    assert tls_server.logs_in("alice", "another long password").status == 200


def test_commands_give_nothing_to_a_server_with_another_certificate(tls_server, authority, tmp_path):
    """The password is told to whoever has the key of the certificate, and to nobody else."""
    shutil.copy(authority / "next.pem", tmp_path / "other.pem")
    shutil.copy(authority / "next.key", tmp_path / "other.key")
    other = {"TLS_CERT": str(tmp_path / "other.pem"), "TLS_KEY": str(tmp_path / "other.key")}
    tls_server.runs("health", **other).is_refused("does not answer")
