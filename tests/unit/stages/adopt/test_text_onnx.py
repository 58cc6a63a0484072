"""An ONNX file with its tokenizer becomes a Package whose golden set it answers itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from modelyard.errors import BadConfig, BadInput
from modelyard.runtimes.choose import choose_variant
from modelyard.runtimes.golden import read_golden
from modelyard.stages.adopt import AdoptConfig, adopt, look, text_onnx
from modelyard.stages.adopt.sentences import SENTENCES
from modelyard.store import Package
from modelyard.tasks import load_task
from tests.rows import in_parts, labelled, new_run
from tests.unit.stages.adopt.models import make_text_onnx, make_tokenizer
from tests.unit.tiny_bert import reviews


def adopted(graph: Path, tokenizer: Path, root: Path, **told: object) -> Package:
    made = adopt(graph, AdoptConfig.model_validate({"tokenizer": tokenizer, **told}), new_run(root))
    assert isinstance(made, Package)
    return made


def test_logits_and_id2label_make_a_classifier(tiny_base: Path, tmp_path: Path) -> None:
    graph = make_text_onnx(tmp_path / "sentiment.onnx", "logits", 2)
    tokenizer = make_tokenizer(tmp_path / "tokenizer", tiny_base, id2label={"0": "bad", "1": "good"})
    package = adopted(graph, tokenizer, tmp_path)
    info = package.info
    assert (info["task"], info["labels"], info["reference"]) == ("text_classification", ["bad", "good"], "float")
    assert info["pipeline"]["feeds"] == ["input_ids", "attention_mask"]
    assert info["pipeline"]["output"] == "logits"
    assert info["golden"] == {
        "agreement": "argmax",
        "count": len(SENTENCES),
        "inputs": "golden/inputs.jsonl",
        "outputs": "golden/outputs.safetensors",
    }
    pipeline = load_task("text_classification").open_pipeline(package.path, info["pipeline"])
    golden = read_golden(package)
    assert choose_variant(package, pipeline, golden, count=len(golden.inputs)).replay.max_abs == 0.0


def test_hidden_states_make_vectors_and_are_pooled_as_the_folder_says(tiny_base: Path, tmp_path: Path) -> None:
    graph = make_text_onnx(tmp_path / "encoder.onnx", "last_hidden_state")
    tokenizer = make_tokenizer(tmp_path / "tokenizer", tiny_base)
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"}]
    modules.append({"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"})
    (tokenizer / "modules.json").write_text(json.dumps(modules))
    (tokenizer / "1_Pooling").mkdir()
    (tokenizer / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    package = adopted(graph, tokenizer, tmp_path)
    info = package.info
    assert (info["task"], info["labels"]) == ("text_embedding", [])
    assert (info["pipeline"]["pooling"], info["pipeline"]["normalize"]) == ("cls", False)
    assert info["signature"]["outputs"] == [{"name": "embedding", "datatype": "FP32", "shape": [-1, 8]}]
    golden = read_golden(package)
    assert (golden.agreement, golden.outputs[0]["embedding"].shape) == ("cosine", (1, 8))


def test_pooling_that_nothing_says_is_assumed_and_told(tiny_base: Path, tmp_path: Path) -> None:
    graph = make_text_onnx(tmp_path / "encoder.onnx", "last_hidden_state")
    run = new_run(tmp_path)
    made = adopt(graph, AdoptConfig(tokenizer=make_tokenizer(tmp_path / "t", tiny_base)), run)
    assert (made.info["pipeline"]["pooling"], made.info["pipeline"]["normalize"]) == ("mean", True)
    assert "their mean is taken" in run.details["warnings"][0]
    vectors = np.concatenate([outputs["embedding"] for outputs in read_golden(Package.open(made.path)).outputs])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_an_output_of_an_unknown_name_is_asked_for(tiny_base: Path, tmp_path: Path) -> None:
    graph = make_text_onnx(tmp_path / "model.onnx", "output_0", 3)
    tokenizer = make_tokenizer(tmp_path / "tokenizer", tiny_base)
    with pytest.raises(BadInput, match=r"answers output_0 \[free, 3\]: what that is cannot be told") as caught:
        look(graph, AdoptConfig(tokenizer=tokenizer))
    assert "--task text_classification --labels A,B,..." in str(caught.value.next)
    with pytest.raises(BadInput, match="names no classes"):
        look(graph, AdoptConfig(tokenizer=tokenizer, task="text_classification"))
    with pytest.raises(BadInput, match="the graph has 3 classes"):
        look(graph, AdoptConfig(tokenizer=tokenizer, labels=("a", "b")))
    told = adopted(graph, tokenizer, tmp_path, labels=("a", "b", "c"))
    assert (told.info["task"], told.info["labels"]) == ("text_classification", ["a", "b", "c"])
    vectors = adopted(graph, tokenizer, tmp_path, task="text_embedding")
    assert vectors.info["pipeline"]["pooling"] == "none"


def test_a_folder_with_graph_and_tokenizer_needs_no_option(tiny_base: Path, tmp_path: Path) -> None:
    folder = make_tokenizer(tmp_path / "exported", tiny_base, id2label={"0": "bad", "1": "good"})
    make_text_onnx(folder / "onnx" / "model.onnx", "logits", 2)
    seen = look(folder, AdoptConfig())
    assert seen.text is not None
    assert (seen.form, seen.task, seen.text.tokenizer) == ("text_onnx", "text_classification", folder)
    make_text_onnx(folder / "model.onnx", "logits", 2)
    with pytest.raises(BadInput, match="exported holds 2 graphs") as caught:
        look(folder, AdoptConfig())
    assert str(folder / "model.onnx") in str(caught.value.next)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"feeds": ("input_ids", "attention_mask", "position_ids")}, "takes input_ids, attention_mask, position_ids"),
        ({"axes": (1, "tokens")}, r"input_ids \[1, free\] has no free batch and token axes"),
        ({"axes": ("batch", 128)}, r"input_ids \[free, 128\] has no free batch and token axes"),
        ({"kind": "INT32"}, "the input input_ids is INT32; tokens are INT64"),
    ],
)
def test_inputs_that_a_tokenizer_does_not_fill_are_named(
    tiny_base: Path, tmp_path: Path, made: dict[str, object], words: str
) -> None:
    graph = make_text_onnx(tmp_path / "model.onnx", "last_hidden_state", **made)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=words) as caught:
        look(graph, AdoptConfig(tokenizer=make_tokenizer(tmp_path / "tokenizer", tiny_base)))
    assert "leave out --tokenizer" in str(caught.value.next)


def test_a_batch_axis_that_only_says_it_is_free_is_found_out(tiny_base: Path, tmp_path: Path) -> None:
    import onnx
    from onnx import numpy_helper

    graph = make_text_onnx(tmp_path / "model.onnx", "logits", 2)
    proto = onnx.load(graph)
    # The output is brought to one row whatever comes in, as exporters do that saw batch 1.
    proto.graph.initializer.append(numpy_helper.from_array(np.array([1, -1]), "one_row"))
    last = proto.graph.node[-1]
    last.op_type = "Reshape"
    last.input.append("one_row")
    onnx.save(proto, graph)
    config = AdoptConfig(tokenizer=make_tokenizer(tmp_path / "t", tiny_base, id2label={"0": "a", "1": "b"}))
    with pytest.raises(BadInput, match=r"does not run on batch 2 of up to \d+ tokens") as caught:
        adopt(graph, config, new_run(tmp_path))
    assert "free batch and token axes" in str(caught.value.next)


def test_golden_inputs_come_from_the_rows_when_there_are_any(tiny_base: Path, tmp_path: Path) -> None:
    graph = make_text_onnx(tmp_path / "model.onnx", "logits", 2)
    tokenizer = make_tokenizer(tmp_path / "tokenizer", tiny_base, id2label={"0": "negative", "1": "positive"})
    rows = reviews(100)
    run = new_run(tmp_path)
    made = adopt(graph, AdoptConfig(tokenizer=tokenizer, golden=16), run, labelled(run, rows))
    inputs = [item["text"] for item in read_golden(Package.open(made.path)).inputs]
    assert len(inputs) == 16
    assert set(inputs) <= {text for text, _ in rows}


def test_the_digest_covers_content_only(tiny_base: Path, tmp_path: Path) -> None:
    """Not where the file lay, nor what its exporter wrote into it about a machine."""
    tokenizer = make_tokenizer(tmp_path / "tokenizer", tiny_base, id2label={"0": "a", "1": "b"})
    first = adopted(make_text_onnx(tmp_path / "a" / "one.onnx", "logits", 2), tokenizer, tmp_path)
    second = adopted(make_text_onnx(tmp_path / "b" / "two.onnx", "logits", 2), tokenizer, tmp_path / "other")
    assert first.digest == second.digest
    assert b"/somebody/here.py" not in (first.path / "variants/float/model.onnx").read_bytes()


def test_weights_of_eight_bits_are_their_own_reference(tiny_base: Path, tmp_path: Path) -> None:
    from onnxruntime.quantization import quantize_dynamic

    graph = make_text_onnx(tmp_path / "model.onnx", "logits", 2)
    quantize_dynamic(graph, tmp_path / "small.onnx")
    tokenizer = make_tokenizer(tmp_path / "tokenizer", tiny_base, id2label={"0": "a", "1": "b"})
    info = adopted(tmp_path / "small.onnx", tokenizer, tmp_path).info
    assert info["reference"] == info["variants"][0]["name"] == "int8"
    assert info["variants"][0]["tolerance"]["agreement"] == 0.95
    assert info["variants"][0]["tolerance"]["max_abs"] > 1e-3


def test_what_does_not_go_together_is_told(tiny_base: Path, tmp_path: Path) -> None:
    graph = make_text_onnx(tmp_path / "model.onnx", "logits", 2)
    tokenizer = make_tokenizer(tmp_path / "tokenizer", tiny_base)
    with pytest.raises(BadConfig, match="it has no tokenizer"):
        look(graph, AdoptConfig(tokenizer=tokenizer, task="tensor"))
    with pytest.raises(BadInput, match=r"has no tokenizer\.json"):
        look(graph, AdoptConfig(tokenizer=tmp_path))
    with pytest.raises(BadInput, match="is a Keras file"):
        (tmp_path / "model.keras").write_bytes(b"PK")
        look(tmp_path / "model.keras", AdoptConfig())


def test_of_many_rows_only_the_parts_of_the_first_are_read(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_onnx, "ROWS", 5)
    run = new_run(tmp_path)
    words = reviews(12)
    dataset = in_parts(run, [words[:3], words[3:7], words[7:]])
    run.store.object(dataset.parts[2].files[0].digest, "parquet").unlink()
    graph = make_text_onnx(tmp_path / "model.onnx", "logits", 2)
    config = AdoptConfig(tokenizer=make_tokenizer(tmp_path / "t", tiny_base, id2label={"0": "bad", "1": "good"}))
    package = adopt(graph, config, run, dataset)
    assert isinstance(package, Package)
    assert {item["text"] for item in read_golden(package).inputs} == {text for text, _ in words[:5]}
