"""A foreign Hugging Face directory becomes a Model, or is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelyard.errors import BadConfig, BadInput, EnvironmentProblem
from modelyard.stages.adopt import AdoptConfig, adopt, look
from modelyard.stages.adopt.hugging_face import read_directory
from modelyard.store import Model
from tests.rows import Heard, new_run
from tests.unit.stages.adopt.models import make_classifier


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    return make_classifier(tmp_path_factory.mktemp("somebody") / "sentiment", tiny_base)


@pytest.fixture
def copied(classifier: Path, tmp_path: Path) -> Path:
    """One that a test may spoil."""
    folder = tmp_path / "sentiment"
    folder.mkdir()
    for path in classifier.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def changed(folder: Path, name: str, **keys: Any) -> None:
    path = folder / name
    content = json.loads(path.read_bytes()) if path.is_file() else {}
    path.write_text(json.dumps({**content, **keys}))


def test_a_classifier_says_its_task_labels_and_length_itself(classifier: Path, tmp_path: Path) -> None:
    made = adopt(classifier, AdoptConfig(), new_run(tmp_path))
    assert isinstance(made, Model)
    assert made.info == {
        "architecture": "BertForSequenceClassification",
        "format": 1,
        "framework": "torch",
        "labels": ["negative", "positive"],
        "loader": "transformers",
        "max_length": 64,
        "task": "text_classification",
    }
    assert made.provenance == {"stage": "adopt", "source": "sentiment"}


def test_only_what_the_model_is_made_of_is_copied(copied: Path, tmp_path: Path) -> None:
    for name in ("modeling_mine.py", "training_args.bin", "README.md", "optimizer.pt"):
        (copied / name).write_bytes(b"anything")
    made = adopt(copied, AdoptConfig(), new_run(tmp_path))
    names = {path.name for path in made.path.iterdir()} - {"provenance.json"}
    assert names == {"config.json", "model.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert (made.path / "model.safetensors").read_bytes() == (copied / "model.safetensors").read_bytes()


def test_an_encoder_without_a_head_is_taken_for_vectors(tiny_base: Path, tmp_path: Path) -> None:
    made = adopt(tiny_base, AdoptConfig(), new_run(tmp_path))
    assert (made.info["task"], made.info["labels"], made.info["max_length"]) == ("text_embedding", [], 64)


def test_its_head_is_not_made_up_when_a_classifier_is_asked_for(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no head \.\.\.ForSequenceClassification: its classes would be made up"):
        adopt(tiny_base, AdoptConfig(task="text_classification"), new_run(tmp_path))


def test_a_head_that_is_not_in_the_weights_is_noticed(tiny_base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "claims"
    folder.mkdir()
    for path in tiny_base.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    changed(folder, "config.json", architectures=["BertForSequenceClassification"])
    with pytest.raises(BadInput, match=r"the weights lack .*classifier"):
        adopt(folder, AdoptConfig(), new_run(tmp_path))


def test_labels_are_told_in_the_order_of_the_logits(copied: Path, tmp_path: Path) -> None:
    changed(copied, "config.json", id2label={"0": "LABEL_0", "1": "LABEL_1"})
    run = new_run(tmp_path)
    run.listener = heard = Heard()
    assert adopt(copied, AdoptConfig(), run).info["labels"] == ["LABEL_0", "LABEL_1"]
    assert heard.warned == [
        "the classes have no names (LABEL_0, LABEL_1); say them: --labels negative,positive",
    ]
    told = adopt(copied, AdoptConfig(labels=("bad", "good")), new_run(tmp_path))
    assert told.info["labels"] == ["bad", "good"]
    with pytest.raises(BadConfig, match="3 labels were given, the model has 2 classes"):
        adopt(copied, AdoptConfig(labels=("a", "b", "c")), new_run(tmp_path))
    with pytest.raises(BadInput, match="the label 'a' stands twice"):
        adopt(copied, AdoptConfig(labels=("a", "a")), new_run(tmp_path))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"auto_map": {"AutoModel": "modeling_mine.Mine"}}, "names code of its own"),
        ({"problem_type": "multi_label_classification"}, "gives several classes to one item"),
        ({"problem_type": "regression"}, "gives numbers, not classes"),
        ({"architectures": ["BertForTokenClassification"]}, "neither a classifier"),
        ({"id2label": {"0": "only"}}, "names one class only"),
        ({"id2label": {"1": "a", "2": "b"}}, "does not number its classes from 0"),
    ],
)
def test_what_its_config_says_and_we_do_not_do_is_refused_by_name(
    copied: Path, tmp_path: Path, keys: dict[str, Any], words: str
) -> None:
    changed(copied, "config.json", **keys)
    with pytest.raises(BadInput, match=words) as caught:
        adopt(copied, AdoptConfig(), new_run(tmp_path))
    assert caught.value.next
    assert not list((tmp_path / "store").glob("models/*"))


def test_code_named_by_the_tokenizer_is_refused_too(copied: Path, tmp_path: Path) -> None:
    changed(copied, "tokenizer_config.json", auto_map={"AutoTokenizer": ["mine.Mine", None]})
    with pytest.raises(BadInput, match=r"tokenizer_config.json names code of its own"):
        adopt(copied, AdoptConfig(), new_run(tmp_path))


def test_pickled_weights_are_refused_without_being_opened(copied: Path, tmp_path: Path) -> None:
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(BadInput, match=r"only pickled weights \(pytorch_model.bin\)") as caught:
        look(copied, AdoptConfig())
    assert "safetensors" in str(caught.value.next)
    with pytest.raises(BadInput, match="holds pickled objects"):
        look(copied / "pytorch_model.bin", AdoptConfig())


def test_a_link_that_leads_out_is_refused(copied: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    (copied / "tokenizer_config.json").unlink()
    (copied / "tokenizer_config.json").symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match="a link that leads out of its folder"):
        look(copied, AdoptConfig())


def test_the_cache_of_the_hub_links_within_one_repository(copied: Path, tmp_path: Path) -> None:
    """There each file lies once, under blobs/, and a snapshot links to it."""
    repository = tmp_path / "hub" / "models--somebody--sentiment"
    snapshot = repository / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    for place, path in enumerate(sorted(copied.iterdir())):
        path.rename(repository / "blobs" / f"{place}")
        (snapshot / path.name).symlink_to(f"../../blobs/{place}")
    assert look(snapshot, AdoptConfig()).task == "text_classification"


def test_an_index_may_only_name_weights_beside_it(copied: Path, tmp_path: Path) -> None:
    (copied / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../elsewhere.safetensors"}}))
    with pytest.raises(BadInput, match=r"names '../elsewhere.safetensors'"):
        look(copied, AdoptConfig())


def test_more_than_may_be_taken_over_is_refused(copied: Path) -> None:
    with pytest.raises(BadInput, match="are taken over") as caught:
        look(copied, AdoptConfig(max_bytes=1000))
    assert "adopt.max_bytes=" in str(caught.value.next)


def test_a_length_that_the_model_cannot_read_is_refused(classifier: Path) -> None:
    with pytest.raises(BadConfig, match="reads at most 64 tokens"):
        look(classifier, AdoptConfig(max_length=100))


def test_a_model_of_ours_is_taken_as_it_is(classifier: Path, tmp_path: Path) -> None:
    first = adopt(classifier, AdoptConfig(), new_run(tmp_path / "a"))
    again = adopt(first.path, AdoptConfig(), new_run(tmp_path / "b"))
    assert again.digest == first.digest
    with pytest.raises(BadConfig, match="says its labels itself"):
        adopt(first.path, AdoptConfig(labels=("a", "b")), new_run(tmp_path / "c"))


def test_one_that_brings_code_is_opened_only_when_the_folder_is_named(classifier: Path, tmp_path: Path) -> None:
    made = adopt(classifier, AdoptConfig(), new_run(tmp_path))
    (made.path / "model.json").write_text(json.dumps({**made.info, "code": "0" * 64}))
    with pytest.raises(BadInput, match="brings its own code") as caught:
        look(made.path, AdoptConfig())
    assert str(caught.value.next).endswith(f"--task {made.path / 'code'}")


def test_positions_that_are_kept_for_padding_read_no_text(copied: Path) -> None:
    (copied / "tokenizer_config.json").write_text("{}")
    assert read_directory(copied, AdoptConfig()).max_length == 64
    changed(copied, "config.json", model_type="roberta")
    assert read_directory(copied, AdoptConfig()).max_length == 62
    (copied / "sentence_bert_config.json").write_text('{"max_seq_length": 32}')
    assert read_directory(copied, AdoptConfig()).max_length == 32


def test_a_hub_id_out_of_reach_is_told_with_what_would_do() -> None:
    with pytest.raises(EnvironmentProblem, match="the hub cannot be reached") as caught:
        look("somebody/sentiment-of-nowhere", AdoptConfig())
    assert caught.value.where == "somebody/sentiment-of-nowhere"
    assert "give a directory" in str(caught.value.next)


def test_a_folder_of_nothing_known_says_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    with pytest.raises(BadInput, match="notes holds no model that is known") as caught:
        look(tmp_path / "notes", AdoptConfig())
    assert "config.json, *.safetensors and tokenizer.json" in str(caught.value.next)
