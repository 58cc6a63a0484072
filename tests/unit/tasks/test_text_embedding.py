"""Vectors of texts: pooled as the directory says, in the graph and outside it; judged by the ranks of pairs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from modelyard.errors import BadConfig, BadInput
from modelyard.run import Run
from modelyard.runtimes.onnxruntime import open_graph
from modelyard.stages.train import TrainConfig, train
from modelyard.store import Column, Store
from modelyard.tasks import load_task
from modelyard.tasks.ranks import average_ranks, spearman
from modelyard.tasks.text_embedding.pipeline import TextEmbeddingPipeline
from modelyard.tasks.text_embedding.pooling import Pooling, pooled, read_pooling
from modelyard.tasks.text_embedding.similarity import SimilarityRanks

TEXTS = ["the film was good", "a trip", "the song number 7 was dreadful and it was long and it was long"]


def sentence_files(folder: Path, *kinds: str, **switches: bool) -> Path:
    """modules.json of those steps, and the configuration of the Pooling step."""
    (folder / "1_Pooling").mkdir(parents=True)
    places = {"Transformer": "", "Pooling": "1_Pooling"}
    steps = [{"type": f"sentence_transformers.models.{kind}", "path": places.get(kind, "9_Other")} for kind in kinds]
    (folder / "modules.json").write_text(json.dumps(steps))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{k}": v for k, v in switches.items()}))
    return folder


def by_hand(base: Path, texts: list[str], mode: str, normalize: bool) -> np.ndarray:
    """As the card of all-MiniLM-L6-v2 writes it, one text at a time: no padding, no mask."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(base), AutoModel.from_pretrained(base).eval()
    rows = []
    for text in texts:
        with torch.inference_mode():
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        vector = hidden[0] if mode == "cls" else hidden.mean(dim=0)
        rows.append((vector / vector.norm() if normalize else vector).numpy())
    return np.stack(rows)


@pytest.mark.parametrize(("switch", "mode"), [("mean_tokens", "mean"), ("cls_token", "cls")])
def test_the_graph_gives_the_vectors_that_the_directory_asks_for_also_beside_longer_texts(
    tiny_base: Path, tmp_path: Path, switch: str, mode: str
) -> None:
    normalize = mode == "mean"
    steps = ["Transformer", "Pooling", *(["Normalize"] if normalize else [])]
    folder = sentence_files(tmp_path / "model", *steps, **{switch: True})
    for path in tiny_base.iterdir():
        (folder / path.name).symlink_to(path)
    task = load_task("text_embedding")
    exported = task.training().export(folder, tmp_path / "package", 32)
    assert "notes" not in exported
    pipeline = task.open_pipeline(tmp_path / "package", exported["pipeline"])
    graphs = {"model": open_graph([tmp_path / "package" / exported["graphs"]["model"]["files"][0]], 1)}
    items = pipeline.prepare_batch([{"text": text} for text in TEXTS])
    found = pipeline.decode(pipeline.run(graphs, pipeline.collate(items)))["embedding"]
    assert found.dtype == np.float32
    assert found == pytest.approx(by_hand(tiny_base, TEXTS, mode, normalize), abs=1e-5)
    assert task.signature([], exported["tensor"]).outputs == (("embedding", "FP32", (-1, 32)),)


def test_a_graph_that_leaves_pooling_out_is_pooled_behind_it(tiny_base: Path) -> None:
    """The graph of somebody else: token vectors out, no mask in."""
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(tiny_base).eval()

    class TokenVectors:
        def run(self, feeds):
            with torch.inference_mode():
                given = {name: torch.from_numpy(array) for name, array in feeds.items()}
                return {"last_hidden_state": model(**given).last_hidden_state.numpy()}

    spec = {"tokenizer": "tokenizer.json", "max_length": 32, "feeds": ["input_ids", "attention_mask"]}
    spec |= {"output": "last_hidden_state", "pooling": "mean", "normalize": True}
    pipeline = TextEmbeddingPipeline.open(tiny_base, spec)
    feeds = pipeline.collate(pipeline.prepare_batch([{"text": text} for text in TEXTS]))
    found = pipeline.run({"model": TokenVectors()}, feeds)["embedding"]
    assert found == pytest.approx(by_hand(tiny_base, TEXTS, "mean", True), abs=1e-5)


def test_what_a_directory_does_not_say_is_assumed_and_said(tiny_base: Path, tmp_path: Path) -> None:
    assert read_pooling(tiny_base) == Pooling("mean", normalize=True, assumed=True)
    exported = load_task("text_embedding").training().export(tiny_base, tmp_path, 16)
    assert "does not say" in exported["notes"][0]


def test_steps_and_poolings_that_are_not_carried_out_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a step Dense"):
        read_pooling(sentence_files(tmp_path / "a", "Transformer", "Pooling", "Dense", mean_tokens=True))
    with pytest.raises(BadInput, match="pools by pooling_mode_max_tokens"):
        read_pooling(sentence_files(tmp_path / "b", "Transformer", "Pooling", max_tokens=True))
    with pytest.raises(BadInput, match="pooling_mode_mean_tokens, pooling_mode_cls_token"):
        read_pooling(sentence_files(tmp_path / "c", "Transformer", "Pooling", mean_tokens=True, cls_token=True))


def test_a_mean_without_a_mask_and_an_output_of_no_vectors_are_refused() -> None:
    with pytest.raises(BadInput, match="attention_mask"):
        pooled(np.ones((2, 3, 4), np.float32), None, "mean", normalize=False)
    with pytest.raises(BadInput, match="3 axes"):
        pooled(np.ones((2, 3, 4), np.float32), None, "none", normalize=False)


def test_train_refuses_it_before_it_looks_at_anything(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="text_embedding is not trained here"):
        run = Run(Store(tmp_path))
        empty = run.store.new_dataset([Column("text_a", "text", "input")]).finish()
        train(empty, TrainConfig(task="text_embedding", base="no such base"), run)


def test_it_is_not_trained_and_says_what_to_do(tiny_base: Path) -> None:
    with pytest.raises(BadConfig, match="not trained here") as error:
        load_task("text_embedding").training().metrics({}, np.zeros(1), [])
    assert error.value.next is not None and "modelyard release" in error.value.next


def test_a_row_is_two_requests_and_its_evidence_their_cosine_beside_the_score() -> None:
    task = load_task("text_embedding")
    rows = [{"text_a": "a", "text_b": "b", "score": 0.5}, {"text_a": "c", "text_b": "d", "score": 1.0}]
    assert [item["text"] for item in task.items(rows)] == ["a", "b", "c", "d"]
    vectors = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [3.0, 3.0]], np.float32)
    evidence = SimilarityRanks().evidence({"embedding": vectors}, [0.5, 1.0])
    assert evidence == pytest.approx(np.array([[0.0, 0.5], [1.0, 1.0]]))


def test_ranks_of_equal_values_are_the_mean_of_their_places() -> None:
    assert average_ranks(np.array([10.0, 30.0, 20.0, 20.0, 10.0, 20.0])).tolist() == [1.5, 6.0, 4.0, 4.0, 1.5, 4.0]


@pytest.mark.parametrize("seed", range(5))
def test_spearman_is_that_of_scipy_with_many_ties(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, other = random.integers(0, 6, 200).astype(float), random.normal(size=200).round(1)
    assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic, abs=1e-12)


def test_spearman_has_no_value_where_all_scores_are_one() -> None:
    assert np.isnan(spearman(np.arange(4.0), np.ones(4)))
