"""A small package of texts, one server of it for a whole file of tests, and clients of that server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import tritonclient.grpc as tritongrpc
import tritonclient.http as tritonhttp

from modelyard.store.artifacts import Package
from tests.packages import tiny_package
from tests.real.servers import Served, serving


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return tiny_package(tmp_path_factory.mktemp("package") / "p")


@pytest.fixture(scope="module")
def server(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("server"), str(package.path)) as served:
        yield served


@pytest.fixture
def over_http(server: Served) -> Iterator[tritonhttp.InferenceServerClient]:
    client = tritonhttp.InferenceServerClient(f"127.0.0.1:{server.http}")
    yield client
    client.close()


@pytest.fixture
def over_grpc(server: Served) -> Iterator[tritongrpc.InferenceServerClient]:
    client = tritongrpc.InferenceServerClient(f"127.0.0.1:{server.grpc}")
    yield client
    client.close()
