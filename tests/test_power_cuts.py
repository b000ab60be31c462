"""The power fails under load, on a real file system: what was acknowledged is there, each once."""

import shutil

import pytest

from support import power
from support.lengths import chance, quick_or_long
from support.power import PowerlessDisk
from support.stories import CONNECTIONS, Stories

pytestmark = pytest.mark.skipif(bool(power.why_not()), reason=power.why_not())

ROUNDS = quick_or_long(3, 100)


@pytest.fixture
def disk(tmp_path):
    disk = PowerlessDisk(tmp_path / "disk")
    try:
        yield disk.is_made().mounts()
    finally:
        disk.unmounts()


@pytest.fixture
def server(make_server, seeded_data, disk):
    """A server whose records and reports are all on that disk."""
    shutil.copytree(seeded_data, disk.mount / "data")
    places = {"DATA_DIR": disk.mount / "data", "AUDIT_DIR": disk.mount / "audit"}
    server = make_server(seed=None, sessions=CONNECTIONS, **places)
    server.data_dir, server.audit_dir = places.values()
    disk.comes_back()
    yield server.starts()
    server.is_cleared_away()


def test_what_was_acknowledged_survives_every_loss_of_power(server, disk):
    stories = Stories(server, chance("power cuts"))

    def power_fails():
        disk.loses_power()
        server.is_killed()

    for _ in range(ROUNDS):
        stories.go_on_until(power_fails)
        disk.comes_back()
        server.starts()
        stories.are_kept()
