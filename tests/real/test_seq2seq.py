"""Texts to texts over the wire, asked by tritonclient; and the whole chain from a table of pairs."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import tritonclient.grpc as tritongrpc
import tritonclient.http as tritonhttp

from modelyard.runtimes.variants import open_variant
from modelyard.store import Package
from modelyard.tasks import load_task
from tests.real.command import modelyard, reported
from tests.real.servers import serving
from tests.real.triton_clients import texts_for
from tests.unit.tiny_t5 import export_tiny_t5, make_recipe, pairs, train_tiny_t5

pytestmark = pytest.mark.e2e

PAGE = Path(__file__).resolve().parents[2] / "docs" / "seq2seq.md"
ASKED = tuple(source for source, _ in pairs(9))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("words")
    return export_tiny_t5(train_tiny_t5(folder / "model"), folder / "package")


def test_both_doors_answer_the_texts_of_the_pipeline(package: Package, tmp_path: Path) -> None:
    pipeline = load_task("seq2seq").open_pipeline(package.path, package.info["pipeline"])
    graphs = open_variant(package, package.variants[0])
    wanted = [
        pipeline.decode(pipeline.run(graphs, pipeline.collate([pipeline.prepare({"text": text})]))) for text in ASKED
    ]
    with serving(tmp_path, str(package.path), "--variant", "float") as server:
        clients: list[tuple[Any, int]] = [(tritonhttp, server.http), (tritongrpc, server.grpc)]
        for module, port in clients:
            client = module.InferenceServerClient(f"127.0.0.1:{port}")
            answer = client.infer("words", [texts_for(module, ASKED)])
            assert [text.decode() for text in answer.as_numpy("text")] == [each["text"][0] for each in wanted]
            assert answer.as_numpy("score") == pytest.approx([each["score"][0] for each in wanted], abs=1e-4)
        metadata = server.ask("GET", "/v2/models/words").json
        refused = server.infer("one two", " ", model="words")
        guide = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        assert guide
        written = io.StringIO()
        with contextlib.redirect_stdout(written):
            exec(guide[1].replace("127.0.0.1:8000", f"127.0.0.1:{server.http}").replace("spoken-forms", "words"), {})
        streamed = server.ask("POST", "/v2/models/words/generate_stream", {"text": ASKED[0]})
        raw = client.infer("words.tensor", _tensors(pipeline.collate([pipeline.prepare({"text": ASKED[0]})])))
    assert metadata["outputs"] == [
        {"name": "text", "datatype": "BYTES", "shape": [-1]},
        {"name": "score", "datatype": "FP32", "shape": [-1]},
    ]
    assert refused.status == 422
    assert "item 1" in refused.json["error"]
    assert written.getvalue().startswith("['")
    events = [json.loads(line[6:]) for line in streamed.body.decode().split("\n") if line.startswith("data: ")]
    assert "".join(event["text"] for event in events) == wanted[0]["text"][0]
    assert len(events) > 1
    assert pipeline.decode({name: raw.as_numpy(name) for name in ("output_ids", "scores")})["text"] == wanted[0]["text"]


def _tensors(feeds: dict[str, Any]) -> list[Any]:
    tensors = []
    for name, values in feeds.items():
        tensor = tritongrpc.InferInput(name, list(values.shape), "INT64")
        tensor.set_data_from_numpy(values)
        tensors.append(tensor)
    return tensors


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A project on which the whole chain has run: a table of pairs under other names than the task's."""
    folder = tmp_path_factory.mktemp("pairs")
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("source", "translation"), *pairs(600)])
    make_recipe(folder / "base")
    (folder / "modelyard.yaml").write_text(
        "name: words\ntask: seq2seq\ndata: pairs.csv\n"
        "train: {base: ./base, epochs: 12, base_lr: 0.08, batch_size: 16, max_length: 48}\n"
        "export: {generation: {beams: 2}}\n"
        "optimize: {requests: 20, load_seconds: 2}\n"
        "evaluate: {requests: 20, load_seconds: 3, resamples: 200}\n"
    )
    code, answer, stderr = modelyard(folder, "run", "--threads", "1")
    assert code == 0, stderr
    return folder, answer


@pytest.mark.slow
def test_the_chain_says_what_the_model_is_worth_beside_a_translation_memory(
    released: tuple[Path, dict[str, Any]],
) -> None:
    folder, answer = released
    figures = reported(answer)
    low, high = figures["chrf"]["interval"]
    assert 0.0 < low <= figures["chrf"]["value"] <= high <= 1.0
    assert "translation memory" in figures["chrf_over_baseline"]["how"]
    assert figures["eager_chrf"]["value"] == pytest.approx(figures["chrf"]["value"], abs=0.05)
    assert figures["parity_sequences"]["value"] >= 0.99
    assert "tokens are those of the model in PyTorch" in figures["parity_sequences"]["how"]
    card = (Path(answer["report"]).parent / "README.md").read_text("utf-8")
    assert "Writes a text for a text" in card
    assert "type: chrf" in card
    assert figures["parity_max_abs"]["value"] < 1e-3
    assert figures["latency_cut"]["value"] is not None
    assert not {"accuracy", "macro_f1", "ece"} & set(figures)
    with serving(folder / "served", "words@champion", "--workspace", str(folder / ".modelyard")) as server:
        written = server.infer(*ASKED, model="words").json["outputs"][0]["data"]
    numerals = set("".join(target for _, target in pairs(600)))
    assert all(text and set(text) <= numerals for text in written)
    assert len(set(written)) > 1
