"""schemathesis, which we did not write, reads /openapi.json and asks for what it promises and for what it forbids."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import schemathesis

from modelyard.store.artifacts import Package
from tests.packages import tiny_package
from tests.real.servers import Served, serving

pytestmark = pytest.mark.e2e

CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"),
    *("unsupported_method", "allow_header_conformance"),
)
MEBI = 1 << 20


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return tiny_package(tmp_path_factory.mktemp("package") / "p")


@pytest.fixture
def server(package: Package, tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, str(package.path), "--grpc", "off") as served:
        yield served


def test_the_document_is_valid_openapi_and_names_every_model_at_both_levels(server: Served) -> None:
    answer = server.ask("GET", "/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    schema = schemathesis.openapi.from_dict(answer.json)
    schema.validate()
    assert answer.json["openapi"] == "3.1.0"
    paths = answer.json["paths"]
    for path in (
        "/v2/models/reviews/infer",
        "/v2/models/reviews.tensor/versions/1/infer",
        "/v2/models/reviews/generate",
        "/v2/models/reviews/versions/1/generate_stream",
        "/v1/models/reviews:predict",
    ):
        assert list(paths[path]) == ["post"]
    text = paths["/v2/models/reviews/infer"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    (described,) = text["properties"]["inputs"]["items"]["anyOf"]
    assert described["properties"]["shape"]["prefixItems"] == [{"type": "integer", "minimum": 1, "maximum": 64}]
    assert described["properties"]["data"]["items"]["maxLength"] == 100_000


def test_its_examples_are_answered(server: Served) -> None:
    for path, methods in server.ask("GET", "/openapi.json").json["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {"": {"example": None}})
            for media in content.values():
                assert server.ask(method.upper(), path, media["example"]).status == 200, path


def test_with_a_token_the_document_says_so(package: Package, tmp_path: Path) -> None:
    secret = {"MODELYARD_TOKEN": "s3cret"}
    with serving(tmp_path, str(package.path), "--grpc", "off", environment=secret) as served:
        shown = served.ask("GET", "/openapi.json", headers={"Authorization": "Bearer s3cret"}).json
        assert served.ask("GET", "/openapi.json").status == 401
    assert shown["security"] == [{"token": []}]
    assert shown["paths"]["/v2/health/ready"]["get"]["security"] == []


def resident(served: Served) -> int:
    """Bytes of memory that the server holds."""
    return int(Path(f"/proc/{served.process.pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("examples", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_schemathesis_finds_no_fault(
    server: Served, tmp_path: Path, examples: int, record_property: Callable[[str, object], None]
) -> None:
    server.infer(*["good film"] * 8)
    before = resident(server)
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"http://127.0.0.1:{server.http}/openapi.json"),
        *("--checks", ",".join(CHECKS), "--max-examples", str(examples), "--seed", "20261125", "--no-color"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    grown = resident(server) - before
    requests = [event for event in server.events() if event["message"] == "request"]
    codes = Counter(event["http.response.status_code"] for event in requests)
    record_property("codes", dict(codes.most_common()))
    record_property("resident", f"{before / MEBI:.1f} MiB, {grown / MEBI:+.1f}")
    assert max(codes) < 500
    assert sum(codes.values()) > 1000
    assert codes[200] > 100
    assert [event for event in server.events() if event["log.level"] == "error"] == []
    assert grown < 32 * MEBI
    assert server.infer("good").status == 200
