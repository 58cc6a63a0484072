"""The process of a server: how soon it answers, what it refuses to start with, what it loads, how it ends."""

from __future__ import annotations

import re
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest
import tritonclient.grpc as tritongrpc
from tritonclient.utils import InferenceServerException

from modelyard.store.artifacts import Package
from tests.packages import LABELS, break_variant, tiny_package
from tests.real.servers import Served, serving
from tests.real.triton_clients import texts_for

pytestmark = pytest.mark.e2e


def test_the_first_request_is_answered_within_three_seconds_of_the_start(package: Package, tmp_path: Path) -> None:
    taken = []
    for attempt in range(3):  # the machine may be busy with something else
        started = time.perf_counter()
        with serving(tmp_path / str(attempt), str(package.path)) as served:
            assert served.infer("good").status == 200
            taken.append(time.perf_counter() - started)
        if taken[-1] < 3.0:
            break
    assert min(taken) < 3.0


def test_the_serving_process_holds_no_training_stack(server: Served) -> None:
    server.infer("good")
    maps = Path(f"/proc/{server.process.pid}/maps").read_text()
    libraries = {Path(line.split()[-1]).name for line in maps.splitlines() if "/" in line}
    assert any("onnxruntime" in name for name in libraries)
    heavy = re.compile(r"libtorch|libarrow|polars|pandas|sqlalchemy|sklearn|cyextension", re.IGNORECASE)
    held = {line.split()[-1] for line in maps.splitlines() if "/" in line}
    assert [path for path in held if heavy.search(path)] == []


def test_a_broken_variant_is_passed_over_and_the_log_says_so(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p", variants=("int8", "float"))
    break_variant(package, "int8", "swapped")
    with serving(tmp_path, str(package.path)) as served:
        assert served.event("variant_passed_over")["modelyard.variant"] == "int8"
        assert served.event("ready")["modelyard.models"][0]["variant"] == "float"
        assert served.infer("good").json["outputs"][0]["data"] == ["positive"]


def test_a_package_without_a_good_variant_is_refused_with_the_reasons(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p", variants=("int8", "float"))
    break_variant(package, "int8", "bytes")
    break_variant(package, "float", "nan")
    with serving(tmp_path, str(package.path), wait=False) as served:
        assert served.process.wait(20) == 3
        text = served.log.read_text()
    assert "no variant of reviews passes its golden set on this machine" in text
    assert "int8: model.onnx does not open" in text
    assert "float: golden input 0: logits holds a value that is not finite" in text
    assert "next:" in text


def test_another_host_needs_a_token_and_then_every_call_but_health_does(package: Package, tmp_path: Path) -> None:
    refused = {"MODELYARD_TOKEN": ""}
    with serving(tmp_path / "a", str(package.path), "--host", "0.0.0.0", wait=False, environment=refused) as served:
        assert served.process.wait(20) == 3
        assert "MODELYARD_TOKEN" in served.log.read_text()
    secret = {"MODELYARD_TOKEN": "s3cret"}
    with serving(tmp_path / "b", str(package.path), "--host", "0.0.0.0", environment=secret) as served:
        assert served.ask("GET", "/v2/health/ready").status == 200
        for path in ("/v2", "/metrics", "/v2/models/reviews", "/v1/models", "/nothing"):
            assert served.ask("GET", path).status == 401, path
        assert served.ask("GET", "/v2", headers={"Authorization": "Bearer wrong"}).status == 401
        assert served.ask("GET", "/v2", headers={"Authorization": "Bearer s3cret"}).status == 200
        client = tritongrpc.InferenceServerClient(f"127.0.0.1:{served.grpc}")
        assert client.is_server_ready()
        with pytest.raises(InferenceServerException) as caught:
            client.get_server_metadata()
        assert caught.value.status() == "StatusCode.UNAUTHENTICATED"
        known = client.infer("reviews", [texts_for(tritongrpc, ("good",))], headers={"authorization": "Bearer s3cret"})
        assert known.as_numpy("label").tolist() == [b"positive"]
        client.close()
        assert "s3cret" not in served.log.read_text()


def test_a_port_that_is_taken_is_named(package: Package, server: Served, tmp_path: Path) -> None:
    for option, port in (("--http", server.http), ("--grpc", server.grpc)):
        with serving(tmp_path / option, str(package.path), option, str(port), wait=False) as served:
            assert served.process.wait(20) == 3
            assert f"port {port} of 127.0.0.1 cannot be opened" in served.log.read_text()


def test_an_alias_of_the_workspace_is_served_under_its_version(tmp_path: Path) -> None:
    made = tiny_package(tmp_path / "made")
    workspace = tmp_path / "workspace"
    store = workspace / "store" / "packages"
    store.mkdir(parents=True)
    made.path.rename(store / made.digest)
    with sqlite3.connect(workspace / "ledger.db") as ledger:
        ledger.execute("PRAGMA journal_mode=WAL")
        ledger.execute("CREATE TABLE aliases (name TEXT, alias TEXT, version INTEGER, package TEXT)")
        ledger.execute("CREATE TABLE versions (name TEXT, version INTEGER, package TEXT)")
        ledger.execute("INSERT INTO aliases VALUES ('shop', 'champion', 7, ?)", (made.digest,))
        ledger.execute("INSERT INTO versions VALUES ('shop', 7, ?)", (made.digest,))
    ledger.close()
    with serving(tmp_path, "shop@champion", "--workspace", str(workspace), "--grpc", "off") as served:
        answer = served.infer("good", model="shop")
        assert (answer.status, answer.json["model_version"]) == (200, "7")
        labelled = served.ask("POST", "/v1/models/shop/labels/champion:predict", {"instances": ["bad"]})
        assert labelled.json["predictions"][0]["label"] == LABELS[0]
    with serving(tmp_path / "no", "shop@nobody", "--workspace", str(workspace), wait=False) as served:
        assert served.process.wait(20) == 2
        assert "shop@7, shop@champion" in served.log.read_text()


def test_a_device_that_is_not_there_is_said_so(package: Package, tmp_path: Path) -> None:
    with serving(tmp_path, str(package.path), "--device", "0", wait=False) as served:
        assert served.process.wait(20) == 3
        assert "has no CUDA provider" in served.log.read_text()


def test_ctrl_c_ends_an_idle_server_at_once(package: Package, tmp_path: Path) -> None:
    with serving(tmp_path, str(package.path), "--workers", "2") as served:
        asked = threading.Thread(target=served.infer, args=("good",))
        asked.start()
        asked.join()
        started = time.monotonic()
        assert served.stop(signal.SIGINT) == 0
        assert time.monotonic() - started < 3
