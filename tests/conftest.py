"""What every test can ask for."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from support.bystander import Bystander
from support.lengths import LONG, SEED
from support.server import USERS, Server, password_of
from support.sockets import Socket

PEOPLE = [line.split(";")[0] for line in USERS.splitlines()]


def pytest_terminal_summary(terminalreporter):
    """Says how a run with random in it is repeated."""
    if LONG or terminalreporter.stats.get("failed"):
        terminalreporter.write_line(f"TEST_SEED={SEED} repeats it{', with VPN_SESSIONS_LONG=1' if LONG else ''}")


@pytest.fixture(scope="session")
def seeded_data(tmp_path_factory):
    """A data directory in which everybody has a password."""
    server = Server(tmp_path_factory.mktemp("seed"))
    for name in PEOPLE:
        server.runs("user", "set-password", name, given=password_of(name)).is_done()
    return server.data_dir


@contextmanager
def maker_of_servers(folder, seeded_data):
    """Makes servers below a folder, and clears them away in the end."""
    number = itertools.count(1)
    with ExitStack() as ends:

        def make(**details):
            server = Server(folder / f"server-{next(number)}", **{"seed": seeded_data, **details})
            ends.callback(server.is_cleared_away)
            return server

        yield make


@pytest.fixture
def make_server(tmp_path, seeded_data):
    """Makes servers, each with its own folders; `seed=None` leaves the data directory out."""
    with maker_of_servers(tmp_path, seeded_data) as make:
        yield make


@pytest.fixture(scope="module")
def make_lasting_server(tmp_path_factory, seeded_data):
    """Makes servers that the tests of a file share, for what leaves no trace."""
    with maker_of_servers(tmp_path_factory.mktemp("lasting"), seeded_data) as make:
        yield make


@pytest.fixture(scope="module")
def lasting_server(make_lasting_server):
    """A server with the usual people and connections that the tests of a file share."""
    return make_lasting_server().starts()


@pytest.fixture
def server(make_server):
    """A server with the usual people and connections."""
    return make_server().starts()


@pytest.fixture
def alice(server):
    return server.signs_in("alice")


@pytest.fixture
def bob(server):
    return server.signs_in("bob")


@pytest.fixture
def carol(server):
    """An auditor."""
    return server.signs_in("carol")


@pytest.fixture
def dave(server):
    """An admin."""
    return server.signs_in("dave")


@pytest.fixture
def promon(server):
    """The service user."""
    return server.signs_in("promon")


@pytest.fixture
def connect():
    """Connects sockets; they end with their server."""

    def connected(server, who=None, **details):
        details = {"token": who.token, **details} if who else details
        return Socket(server.url, **details).connects()

    return connected


@pytest.fixture(params=["HTTP", "websocket", "polling"])
def way_in(request, connect):
    """Whoever checks, over each of the ways that there are."""

    def comes(server, name):
        person = server.signs_in(name)
        return person if request.param == "HTTP" else connect(server, person, way=request.param)

    return comes


@pytest.fixture
def at_once():
    """Does several things at the same time, and gives what each came to."""

    def done(things):
        with ThreadPoolExecutor(len(things)) as pool:
            return [result.result() for result in [pool.submit(thing) for thing in things]]

    return done


@pytest.fixture(scope="module")
def attacked(lasting_server):
    """A server that is attacked by the tests of a file, while somebody works on."""
    bystander = Bystander(lasting_server)
    yield lasting_server
    bystander.was_undisturbed()
