"""What holds for every call of the API."""

import pytest


@pytest.fixture
def dave(lasting_server):
    return lasting_server.signs_in("dave")


@pytest.mark.parametrize(
    "path", ["/api", "/api/v1", "/api/v1/nothing", "/nothing", "/api/v1/connections/x", "/../etc/passwd"]
)
def test_nothing_is_where_nothing_is(dave, path):
    dave.gets(path).is_refused("not_found")


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/api/loginUser"),
        ("GET", "/api/placeMessage"),
        ("DELETE", "/api/v1/connections"),
        ("PUT", "/api/v1/sessions"),
        ("GET", "/logout"),
    ],
)
def test_a_method_that_an_address_does_not_know_is_said(dave, method, path):
    answer = dave.asks(method, path)
    answer.is_refused("method_not_allowed")
    assert answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/api/v1/messages/%ff", "/api/v1/audit/reports/%ff", "/api/v1/sessions/%ff"])
def test_an_address_that_is_no_text_is_a_problem_too(dave, path):
    answer = dave.asks("DELETE" if "sessions" in path else "GET", path)
    assert answer.status in (400, 404), answer
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_description_names_every_call(lasting_server):
    description = lasting_server.visitor().gets("/api/openapi.json").is_done()
    assert description["openapi"].startswith("3.")
    calls = {(method, path) for path, item in description["paths"].items() for method in item}
    assert calls >= {
        ("post", "/api/loginUser"),
        ("get", "/api/test"),
        ("post", "/api/placeMessage"),
        ("get", "/api/v1/connections"),
        ("post", "/api/v1/sessions"),
        ("delete", "/api/v1/sessions/{id}"),
        ("patch", "/api/v1/sessions/{id}"),
        ("get", "/api/v1/sessions"),
        ("get", "/api/v1/audit/records"),
        ("get", "/api/v1/audit/verify"),
        ("get", "/api/v1/audit/reports"),
        ("get", "/api/v1/audit/reports/{name}"),
        ("post", "/api/v1/messages"),
        ("get", "/api/v1/messages"),
        ("get", "/api/v1/messages/{id}"),
        ("get", "/healthz"),
        ("get", "/readyz"),
    }


def test_health_is_for_everybody(lasting_server):
    assert lasting_server.visitor().gets("/healthz").is_done() == {"status": "ok"}
    assert lasting_server.visitor().gets("/readyz").is_done() == {"status": "ok", "findings": []}


def test_a_head_is_answered_as_a_get(lasting_server):
    answer = lasting_server.visitor().asks("HEAD", "/healthz")
    assert (answer.status, answer.content) == (200, b"")
