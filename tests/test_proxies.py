"""Proxies that are trusted say where somebody comes from; nobody else does."""

import pytest

from support.server import password_of

PROXY = "127.0.0.1, 10.0.0.0/8, 2001:db8:ffff::/48"
CLIENT, OTHER = "203.0.113.9", "198.51.100.7"


@pytest.fixture(scope="module")
def behind(make_lasting_server):
    """A server behind proxies; an address may fail once a minute, so that each that failed waits."""
    return make_lasting_server(TRUSTED_PROXIES=PROXY, toml="[limits]\nfailed_sign_ins_per_minute = 1\n").starts()


def fails(server, name, forwarded):
    """Fails to sign in; `forwarded` are the values of X-Forwarded-For."""
    headers = {"X-Forwarded-For": ", ".join(forwarded)} if forwarded else {}
    return server.visitor().asks("POST", "/api/loginUser", auth=(name, "a wrong password"), headers=headers).status


# Each way of writing an address, and the address that it is.
FORMS = {
    "alone": (["192.0.2.1"], ["192.0.2.1"]),
    "with a port": (["192.0.2.2:4711"], ["192.0.2.2"]),
    "ipv6": (["2001:db8::3"], ["[2001:db8::3]"]),
    "ipv6 with a port": (["[2001:db8:4::3]:4711"], ["2001:db8:4::3"]),
    "ipv4 in ipv6": (["::ffff:192.0.2.5"], ["192.0.2.5"]),
    "a forged one before it": (["127.0.0.1", "192.0.2.6"], ["192.0.2.6"]),
    "behind two proxies": (["192.0.2.7", "10.1.2.3"], ["192.0.2.7"]),
    "behind a proxy with a port": (["192.0.2.8", "10.1.2.3:80"], ["192.0.2.8"]),
    "garbage before it": (["'; drop table", "192.0.2.9"], ["192.0.2.9"]),
    "a byte that is no text before it": (["\xe9", "192.0.2.11"], ["192.0.2.11"]),
    "a long list": (["198.51.100.1"] * 300 + ["192.0.2.10"], ["192.0.2.10"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_address_is_read_from_the_right(behind, form):
    written, same = FORMS[form]
    assert fails(behind, f"first {form}", written) == 401
    assert fails(behind, f"second {form}", same) == 429, "it is the same address"
    assert fails(behind, f"third {form}", ["192.0.2.200", *written]) == 429, "whatever stands to its left"


def test_others_behind_the_same_proxy_are_others(behind):
    assert fails(behind, "one", ["198.51.100.21"]) == 401
    assert fails(behind, "two", ["198.51.100.22"]) == 401


def test_without_trust_a_forged_address_is_worth_nothing(make_server):
    server = make_server(toml="[limits]\nfailed_sign_ins_per_minute = 1\n").starts()
    statuses = [fails(server, f"account {number}", [f"192.0.2.{number}"]) for number in range(1, 5)]
    assert statuses == [401, 429, 429, 429]


@pytest.mark.parametrize("name", ["X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"])
def test_other_headers_are_not_read(make_server, name):
    server = make_server(TRUSTED_PROXIES="127.0.0.1", toml="[limits]\nfailed_sign_ins_per_minute = 1\n").starts()
    for number, status in enumerate([401, 429]):
        value = f"for=192.0.2.{number}" if name == "Forwarded" else f"192.0.2.{number}"
        auth = (f"account {number}", "a wrong password")
        assert server.visitor().asks("POST", "/api/loginUser", auth=auth, headers={name: value}).status == status


def signs_in_over(server, **headers):
    """Signs a browser in that comes with those headers."""
    form = {"user": "alice", "password": password_of("alice")}
    return server.visitor(headers={"Origin": headers.pop("Origin", server.url)}).asks(
        "POST", "/login", data=form, headers=headers
    )


def test_a_trusted_proxy_says_that_it_was_tls(behind):
    origin = behind.url.replace("http://", "https://")
    answer = signs_in_over(behind, Origin=origin, **{"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"})
    assert answer.status == 303
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-") and "; Secure" in cookie and "; HttpOnly" in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    plain = signs_in_over(behind, **{"X-Forwarded-For": OTHER, "X-Forwarded-Proto": "http"})
    assert not plain.headers["Set-Cookie"].startswith("__Host-")
    assert "Strict-Transport-Security" not in plain.headers


def test_over_tls_the_plain_origin_is_another(behind):
    headers = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"}
    signs_in_over(behind, **headers).is_refused("forbidden")


def test_over_tls_only_its_own_cookie_counts(behind):
    """A cookie without the prefix could be set by a page of a neighbouring name."""
    browser = behind.signs_in_browser("alice")
    headers = {"Cookie": f"vpn_sessions={browser.token}", "X-Forwarded-Proto": "https"}
    behind.visitor().gets("/api/v1/me", headers=headers).is_refused("unauthorized")
    headers["Cookie"] = f"__Host-vpn_sessions={browser.token}"
    assert behind.visitor().gets("/api/v1/me", headers=headers).status == 200


def test_nobody_else_says_that_it_was_tls(server):
    answer = signs_in_over(server, **{"X-Forwarded-Proto": "https"})
    assert answer.status == 303 and not answer.headers["Set-Cookie"].startswith("__Host-")
    assert "Strict-Transport-Security" not in answer.headers
