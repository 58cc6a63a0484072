"""ONNX files that we did not make, adopted as tensor packages and asked by clients that we did not write.

They lie in the onnx wheel (backend test data; the node cases, which its code makes) and in that of ONNX Runtime. Every
answer must be, bit by bit, what ONNX Runtime alone gives for the same file on the same processor with one thread.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import tritonclient.grpc as tritongrpc
import tritonclient.http as tritonhttp
from onnx import numpy_helper
from prometheus_client.parser import text_string_to_metric_families
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from modelyard.run import Run
from modelyard.stages.adopt import AdoptConfig, adopt
from modelyard.store import Package, Store
from tests.graphs import graph, node, saved
from tests.real.servers import Served, serving

pytestmark = pytest.mark.e2e

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
DATASETS = Path(onnxruntime.__file__).parent / "datasets"
FILES = {
    "sequence": DATA / "simple/test_sequence_model7/model.onnx",  # FP64, a sequence inside
    "texts": DATA / "simple/test_strnorm_model_nostopwords_nochangecase/model.onnx",
    "expand": DATA / "simple/test_expand_shape_model2/model.onnx",  # one input is a shape
    "nested": DATA / "pytorch-operator/test_operator_symbolic_override_nested/model.onnx",  # three in, three out
    "squeezenet": DATA / "light/light_squeezenet.onnx",  # 66 nodes on a picture
    "sigmoid": DATASETS / "sigmoid.onnx",
}
# Module of onnx.backend.test.case.node -> its case.
CASES = {
    "loop": ("loop", "test_loop11"),
    "branch": ("if_", "test_if"),
    "unique": ("unique", "test_unique_sorted_without_axis"),  # four outputs, of two datatypes
    "nonzero": ("nonzero", "test_nonzero_example"),  # BOOL
    "shift": ("bitshift", "test_bitshift_left_uint64"),
    "half": ("mod", "test_mod_mixed_sign_float16"),
    "bytes8": ("mod", "test_mod_mixed_sign_int8"),
    "eight_bits": ("qlinearconv", "test_qlinearconv"),  # eight inputs, scalars among them
    "scalar_texts": ("string_concat", "test_string_concat_zero_dimensional"),
    "encoder": ("ai_onnx_ml.label_encoder", "test_ai_onnx_ml_label_encoder_string_int"),  # texts in, INT64 out
}
NAMES = [*FILES, *CASES]


@dataclass
class Foreign:
    """A file, what it is asked with, and what ONNX Runtime alone answers."""

    path: Path
    inputs: list[dict[str, np.ndarray]]
    package: Package | None = None
    alone: list[dict[str, np.ndarray]] = field(default_factory=list)

    def answer_alone(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        self.alone = [dict(zip(names, session.run(None, feeds), strict=True)) for feeds in self.inputs]


def text_array(array: Any) -> np.ndarray:
    """As NumPy has texts, from any way that a test case writes them."""
    found = np.asarray(array)
    if found.dtype.kind not in "OSU":
        return found
    words = [word.decode() if isinstance(word, bytes) else str(word) for word in found.ravel()]
    return np.array(words, dtype=object).reshape(found.shape)


def of_file(path: Path) -> Foreign:
    model = onnx.load(path, load_external_data=False)
    constants = {tensor.name for tensor in model.graph.initializer}
    values = [value for value in model.graph.input if value.name not in constants]
    folder = path.parent / "test_data_set_0"
    if not folder.is_dir():
        random = np.random.default_rng(0)
        shapes = {value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in values}
        feeds = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
        return Foreign(path, [feeds])
    feeds = {}
    for place, value in enumerate(values):
        tensor = onnx.TensorProto.FromString((folder / f"input_{place}.pb").read_bytes())
        feeds[value.name] = text_array(numpy_helper.to_array(tensor))
    return Foreign(path, [feeds])


def of_case(module: str, name: str, folder: Path) -> Foreign:
    importlib.import_module(f"onnx.backend.test.case.node.{module}")  # makes its cases
    made = importlib.import_module("onnx.backend.test.case.node")._NodeTestCases
    case = next(case for case in made if case.name == name)
    feeds = {
        value.name: text_array(array) for value, array in zip(case.model.graph.input, case.data_sets[0][0], strict=True)
    }
    return Foreign(saved(case.model, folder / f"{name}.onnx"), [feeds])


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Foreign]:
    """Each adopted, with the inputs of its test case as the golden set."""
    folder = tmp_path_factory.mktemp("foreign")
    found = {name: of_file(path) for name, path in FILES.items()}
    found |= {name: of_case(module, case, folder) for name, (module, case) in CASES.items()}
    found["nonzero"].inputs.append({"condition": np.zeros_like(found["nonzero"].inputs[0]["condition"])})
    run = Run(Store(folder / "store"), threads=1)
    for name, one in found.items():
        data = folder / f"{name}.npz"
        np.savez(data, **{key: as_npz(array) for key, array in one.inputs[0].items()})
        made = adopt(one.path, AdoptConfig(name=name, data=data), run)
        assert isinstance(made, Package)
        assert made.task == "tensor"
        one.package = made
        one.answer_alone()
    return found


def as_npz(array: np.ndarray) -> np.ndarray:
    return array.astype(str) if array.dtype == object else array


@pytest.fixture(scope="module")
def server(foreign: dict[str, Foreign], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    paths = [str(one.package.path) for one in foreign.values() if one.package is not None]
    with serving(tmp_path_factory.mktemp("server"), *paths) as served:
        yield served


def same(found: np.ndarray | None, wanted: np.ndarray) -> None:
    """Bit by bit; texts come back as bytes."""
    assert found is not None
    assert found.shape == wanted.shape
    if wanted.dtype == object:
        assert [bytes(word) for word in found.ravel()] == [word.encode() for word in wanted.ravel()]
    else:
        assert found.dtype == wanted.dtype or not wanted.size  # the client gives what is empty no type
        assert found.tobytes() == np.ascontiguousarray(wanted).tobytes()


def datatype(array: np.ndarray) -> str:
    return str(np_to_triton_dtype(array.dtype))


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("name", NAMES)
def test_over_http_the_answer_is_that_of_onnx_runtime_alone(
    server: Served, foreign: dict[str, Foreign], name: str, binary: bool
) -> None:
    client = tritonhttp.InferenceServerClient(f"127.0.0.1:{server.http}")
    for feeds, wanted in zip(foreign[name].inputs, foreign[name].alone, strict=True):
        inputs = []
        for key, array in feeds.items():
            tensor = tritonhttp.InferInput(key, list(array.shape), datatype(array))
            # What the client cannot write as JSON (FP16) it sends in binary.
            tensor.set_data_from_numpy(array, binary_data=binary or array.dtype == np.float16)
            inputs.append(tensor)
        outputs = [tritonhttp.InferRequestedOutput(key, binary_data=binary) for key in wanted]
        result = client.infer(name, inputs, outputs=outputs)
        for key, array in wanted.items():
            if binary or array.dtype != object:
                same(result.as_numpy(key), array)
            else:
                assert result.get_output(key)["data"] == array.ravel().tolist()
    client.close()


@pytest.mark.parametrize("name", NAMES)
def test_over_grpc_the_answer_is_that_of_onnx_runtime_alone(
    server: Served, foreign: dict[str, Foreign], name: str
) -> None:
    client = tritongrpc.InferenceServerClient(f"127.0.0.1:{server.grpc}")
    for feeds, wanted in zip(foreign[name].inputs, foreign[name].alone, strict=True):
        inputs = []
        for key, array in feeds.items():
            tensor = tritongrpc.InferInput(key, list(array.shape), datatype(array))
            tensor.set_data_from_numpy(array)
            inputs.append(tensor)
        result = client.infer(name, inputs)
        for key, array in wanted.items():
            same(result.as_numpy(key), array)
    client.close()


@pytest.mark.parametrize("name", NAMES)
def test_metadata_are_the_graphs_own(server: Served, foreign: dict[str, Foreign], name: str) -> None:
    client = tritongrpc.InferenceServerClient(f"127.0.0.1:{server.grpc}")
    metadata = client.get_model_metadata(name)
    one = foreign[name]
    assert {tensor.name: tensor.datatype for tensor in metadata.inputs} == {
        key: datatype(array) for key, array in one.inputs[0].items()
    }
    for tensor in metadata.outputs:
        found = one.alone[0][tensor.name]
        assert tensor.datatype == datatype(found)
        assert len(tensor.shape) == found.ndim
        assert all(size in (-1, n) for size, n in zip(tensor.shape, found.shape, strict=True))
    with pytest.raises(InferenceServerException, match="there is no model"):
        client.get_model_metadata(f"{name}.tensor")
    client.close()


def test_an_empty_answer_is_one(server: Served, foreign: dict[str, Foreign]) -> None:
    assert foreign["nonzero"].alone[1]["result"].shape == (2, 0)
    answer = server.ask(
        "POST",
        "/v2/models/nonzero/infer",
        {"inputs": [{"name": "condition", "datatype": "BOOL", "shape": [2, 2], "data": [False] * 4}]},
    )
    assert answer.json["outputs"] == [{"name": "result", "datatype": "INT64", "shape": [2, 0], "data": []}]


def test_what_the_graph_does_not_take_is_a_400_that_names_input_or_node(server: Served) -> None:
    def asked(name: str, *inputs: dict[str, Any]) -> str:
        answer = server.ask("POST", f"/v2/models/{name}/infer", {"inputs": list(inputs)})
        assert answer.status == 400
        return str(answer.json["error"])

    x = {"name": "X", "datatype": "FP32", "shape": [1, 3, 1], "data": [1, 2, 3]}
    shape = {"name": "shape", "datatype": "INT64", "shape": [2], "data": [7, 7]}
    assert asked("expand", {**x, "shape": [3]}, shape) == "input X: its shape is [1, 3, 1] (-1 is any size), not [3]"
    assert asked("expand", x) == "the input shape is missing"
    assert asked("expand", x, shape).startswith("the graph does not take these tensors: node ")
    text = {"name": "x", "datatype": "BYTES", "shape": [], "data": ["a", "b"]}
    assert asked("scalar_texts", text, {**text, "name": "y"}) == "input x: shape [] holds 1 elements, data has 2"
    assert "takes whole tensors, not instances" in str(
        server.ask("POST", "/v1/models/expand:predict", {"instances": [1]}).json["error"]
    )
    assert server.process.poll() is None


def test_bytes_that_are_no_text_are_a_400_over_both_doors(server: Served) -> None:
    wrong = np.array([b"\xff\xfe", b"fine"], dtype=object)
    over_http = tritonhttp.InferInput("x", [2], "BYTES")
    over_http.set_data_from_numpy(wrong)
    over_grpc = tritongrpc.InferInput("x", [2], "BYTES")
    over_grpc.set_data_from_numpy(wrong)
    for client, tensor in (
        (tritonhttp.InferenceServerClient(f"127.0.0.1:{server.http}"), over_http),
        (tritongrpc.InferenceServerClient(f"127.0.0.1:{server.grpc}"), over_grpc),
    ):
        with pytest.raises(InferenceServerException, match="input x: element 0 is not UTF-8: byte 0 is 0xff"):
            client.infer("texts", [tensor])
        client.close()


def test_counters_and_statistics_are_those_of_any_package(server: Served, foreign: dict[str, Foreign]) -> None:
    client = tritonhttp.InferenceServerClient(f"127.0.0.1:{server.http}")
    before = client.get_inference_statistics("sigmoid")["model_stats"][0]
    x = foreign["sigmoid"].inputs[0]["x"]
    tensor = tritonhttp.InferInput("x", list(x.shape), "FP32")
    tensor.set_data_from_numpy(x)
    client.infer("sigmoid", [tensor])
    after = client.get_inference_statistics("sigmoid")["model_stats"][0]
    assert after["inference_count"] == before["inference_count"] + 1
    assert after["execution_count"] == before["execution_count"] + 1
    client.close()
    families = text_string_to_metric_families(server.ask("GET", "/metrics").body.decode())
    samples = {
        (sample.name, sample.labels.get("model")): sample.value for family in families for sample in family.samples
    }
    assert samples["modelyard_items_total", "sigmoid"] == after["inference_count"]
    loaded = {event["message"] for event in server.events() if event.get("event.action") == "loaded"}
    assert "sigmoid:1 loaded, variant float" in loaded
    assert "eight_bits:1 loaded, variant int8" in loaded


def test_rows_of_many_callers_are_run_together_and_answered_apart(tmp_path: Path) -> None:
    """A slow linear layer: eight callers at once share batches, and each gets its own rows."""
    weights = np.random.default_rng(0).standard_normal((400, 400)).astype(np.float32)
    nodes = [node("MatMul", "x w", "h0"), *(node("MatMul", f"h{n} w", f"h{n + 1}") for n in range(40))]
    nodes.append(node("Tanh", "h40", "y"))
    path = saved(
        graph(nodes, [("x", "FLOAT", ["n", 400])], [("y", "FLOAT", ["n", 400])], {"w": weights / 20}),
        tmp_path / "model.onnx",
    )
    package = adopt(path, AdoptConfig(name="rows"), Run(Store(tmp_path / "store"), threads=1))
    one = Foreign(path, [{"x": np.full((rows, 400), 0.01 * rows, np.float32)} for rows in (1, 2, 3)] * 8)
    one.answer_alone()
    with serving(tmp_path, str(package.path)) as served:

        def ask(place: int) -> np.ndarray:
            x = one.inputs[place]["x"]
            client = tritongrpc.InferenceServerClient(f"127.0.0.1:{served.grpc}")
            tensor = tritongrpc.InferInput("x", list(x.shape), "FP32")
            tensor.set_data_from_numpy(x)
            found = client.infer("rows", [tensor]).as_numpy("y")
            client.close()
            assert found is not None
            return found

        with ThreadPoolExecutor(8) as callers:
            answers = list(callers.map(ask, range(len(one.inputs))))
        for found, wanted in zip(answers, one.alone, strict=True):
            assert found.shape == wanted["y"].shape
            np.testing.assert_allclose(found, wanted["y"], rtol=0, atol=1e-4)
        statistics = served.ask("GET", "/v2/models/rows/stats").json["model_stats"][0]
        assert statistics["inference_count"] == sum(len(feeds["x"]) for feeds in one.inputs)
        assert statistics["execution_count"] < len(one.inputs)
        instances = {"instances": [[0.01] * 400, [0.01] * 400]}
        predicted = served.ask("POST", "/v1/models/rows:predict", instances).json["predictions"]
        np.testing.assert_allclose(predicted[1], one.alone[0]["y"][0], rtol=0, atol=1e-4)


def test_the_guide_runs_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines in the shell, its lines in Python, on a graph of the name that it uses."""
    guide = (Path(__file__).resolve().parents[2] / "docs" / "tensor.md").read_text("utf-8")
    making, asking = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    plain = re.sub(r"```python\n.*?```", "", guide, flags=re.DOTALL)
    adopting, asking_by_curl = re.findall(r"^```\n(.*?)^```$", plain, re.DOTALL | re.MULTILINE)
    weights = {"w": np.array([[1], [2], [3]], dtype=np.float32)}
    saved(
        graph([node("MatMul", "x w", "y")], [("x", "FLOAT", ["n", 3])], [("y", "FLOAT", ["n", 1])], weights),
        tmp_path / "plane.onnx",
    )
    monkeypatch.chdir(tmp_path)
    exec(making)
    adopt_line, serve_line = adopting.splitlines()
    command = [sys.executable, "-m", *shlex.split(adopt_line)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    _, verb, place = shlex.split(serve_line)
    assert verb == "serve"
    with serving(tmp_path / "server", str(tmp_path / place)) as served:
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            exec(asking.replace("localhost:8000", f"127.0.0.1:{served.http}"))
        assert shown.getvalue() == "[[6.]\n [6.]]\n"
        _, url, _, body = shlex.split(asking_by_curl)
        answer = served.ask("POST", url.partition("8000")[2], body.encode())
        assert answer.json["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [1, 1], "data": [14.0]}]
