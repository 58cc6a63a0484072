"""The server that is treated badly, and what must hold of it all the while."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from modelyard.store.artifacts import Package
from tests.real.servers import Served, serving

READ_S = 1.5
MEBI = 1 << 20


@pytest.fixture(scope="module")
def server(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, str(package.path), "--read-timeout", str(READ_S), "--connections", "40") as served:
        yield served
        # Nothing of all this was a fault of ours.
        faults = [event for event in served.events() if event["log.level"] == "error"]
        assert faults == []


@pytest.fixture(autouse=True)
def unharmed(server: Served) -> Iterator[None]:
    """Around every test: a plain request is answered right."""
    yield
    assert server.process.poll() is None
    assert server.infer("good", "bad").json["outputs"][0]["data"] == ["positive", "negative"]
