"""A foreign Hugging Face directory: what it is by its config.json, and the Model that its files make."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.errors import BadConfig, BadInput
from modelyard.run import Run
from modelyard.stages.adopt.config import AdoptConfig
from modelyard.stages.adopt.foreign_files import MAX_JSON, held, hold_size, read_json, read_object
from modelyard.stages.adopt.labels import labels_of
from modelyard.store import Model
from modelyard.store.artifacts import write_index
from modelyard.tasks import load_task
from modelyard.tasks.image_classification.preparation import FILE as PREPROCESSOR
from modelyard.tasks.image_classification.preparation import read_preparation
from modelyard.tasks.seq2seq.settings import FAMILY, SETTINGS
from modelyard.tasks.text.directory import TOKENIZER_FILES, longest_input
from modelyard.tasks.text_embedding.pooling import MODULES, read_pooling

INDEX = "model.safetensors.index.json"
WEIGHTS = "model.safetensors"
# What says how token vectors become one vector, and how long a text may be; read by the task's export.
SENTENCE_FILES = (MODULES, "1_Pooling/config.json", "sentence_bert_config.json")
CLASSIFICATION, EMBEDDING, PICTURES = "text_classification", "text_embedding", "image_classification"
# What the names of architectures with a head of classes end with, by task.
HEADS = {CLASSIFICATION: "ForSequenceClassification", PICTURES: "ForImageClassification"}
WRITING, WRITER = "seq2seq", "ForConditionalGeneration"
# Which class of transformers opens what has a head.
OPENED_BY = {**{task: f"AutoModel{head}" for task, head in HEADS.items()}, WRITING: "AutoModelForSeq2SeqLM"}
MOST_TOKENS = 512  # where nothing says how long a text may be
# Their first positions are kept for padding: 514 of them read 512 tokens.
SHIFTED, SHIFT = ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer", "data2vec-text"), 2


@dataclass(frozen=True)
class Directory:
    """A directory whose files were looked at, and what they say. max_length: 0 where it reads no texts."""

    folder: Path
    files: tuple[Path, ...]
    task: str
    architecture: str
    labels: tuple[str, ...]
    max_length: int


def read_directory(folder: Path, config: AdoptConfig) -> Directory:
    """Raises BadInput for code, pickles, links and what transformers' config does not make clear."""
    index = held(folder, [INDEX])
    names = _shards(index[0]) if index else [WEIGHTS]
    weights = held(folder, names)
    if len(weights) < len(names):
        missing = sorted(set(names) - {path.name for path in weights})
        raise BadInput(f"{folder.name} lacks its weights {missing[0]}", where=str(folder), next="copy the whole folder")
    files = [*held(folder, ["config.json", PREPROCESSOR]), *index, *weights]
    files += held(folder, [*TOKENIZER_FILES, *SENTENCE_FILES, SETTINGS])
    hold_size(files, config.max_bytes)
    for path in files:
        if path.name == MODULES:
            read_json(path)
        elif path.suffix == ".json":
            _refuse_code(path, read_object(path, MAX_JSON))
    described = read_object(folder / "config.json")
    architecture = str((described.get("architectures") or ["unknown"])[0])
    task = _task(folder, described, architecture, config.task)
    if task == PICTURES:
        read_preparation(folder)
        _hold_no_length(config)
    elif not (folder / "tokenizer.json").is_file():
        raise BadInput(
            f"{folder.name} has no tokenizer.json",
            where=str(folder),
            next="write one: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)",
        )
    if task == EMBEDDING:
        read_pooling(folder)
    labels = labels_of(described, config.labels, str(folder / "config.json")) if task in HEADS else ()
    length = 0 if task == PICTURES else _max_length(folder, config.max_length)
    if task == WRITING:  # how it searches, while the folder is at hand that can be put right
        load_task(task).training().pipeline(str(folder), labels, length)
    return Directory(folder, tuple(files), task, architecture, labels, length)


def adopt_directory(directory: Directory, run: Run) -> Model:
    """Copy what the Model is made of, and nothing else. Raises BadInput for weights that lack a part of the model."""
    with run.store.new_directory() as into:
        for path in run.progress(directory.files, "adopt: copy"):
            target = into / path.relative_to(directory.folder)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)
        if directory.task in OPENED_BY:
            _hold_whole(into, directory.folder, OPENED_BY[directory.task])
        write_index(
            Model,
            into,
            {
                "format": 1,
                "task": directory.task,
                "framework": "torch",
                "loader": "transformers",
                "architecture": directory.architecture,
                "labels": list(directory.labels),
                **({"max_length": directory.max_length} if directory.max_length else {}),
            },
        )
        return run.store.add(Model, into, {"stage": "adopt", "source": directory.folder.name})


def _shards(index: Path) -> list[str]:
    """The weight files that an index names. Raises BadInput for one that is no safetensors file beside it."""
    weight_map = read_object(index, MAX_JSON).get("weight_map")
    names = sorted({str(name) for name in weight_map.values()}) if isinstance(weight_map, Mapping) else []
    bad = [name for name in names if Path(name).name != name or not name.endswith(".safetensors")]
    if bad or not names:
        raise BadInput(
            f"{index.name} names " + (f"{bad[0]!r}, which is no .safetensors file beside it" if bad else "no weights"),
            where=str(index),
            next="save the model again: save_pretrained(DIR)",
        )
    return names


def _refuse_code(path: Path, content: Mapping[str, Any]) -> None:
    """Python files that a configuration asks transformers to run."""
    for key in ("auto_map", "custom_pipelines"):
        if content.get(key):
            raise BadInput(
                f"{path.name} names code of its own ({key}): it would have to be run to open the model",
                where=str(path),
                next="Modelyard opens what transformers knows itself, without trust_remote_code; "
                "or export it to ONNX where you trust it, and adopt the .onnx file",
            )
    if content.get("trust_remote_code"):
        raise BadInput(f"{path.name} asks for trust_remote_code", where=str(path), next="take the key out")


def _task(folder: Path, described: Mapping[str, Any], architecture: str, asked: str | None) -> str:
    """The task that was asked for, when the architecture can do it, else the one that it says."""
    where = str(folder / "config.json")
    if asked not in (None, EMBEDDING, *OPENED_BY):
        raise BadConfig(
            f"a Hugging Face directory is adopted as {', '.join(OPENED_BY)} or {EMBEDDING}, not as {asked}",
            where="--task",
            next="leave out --task: the directory says what it is",
        )
    writes = architecture.endswith(WRITER) and described.get("model_type") in FAMILY
    if writes and asked in (None, WRITING):
        return WRITING
    if asked == WRITING:
        raise BadInput(
            f"{architecture} writes no texts here",
            where=where,
            next=f"give a directory of {', '.join(FAMILY)} (...{WRITER}), the only ones that do",
        )
    for task, head in HEADS.items():
        if architecture.endswith(head) and asked in (None, task):
            _refuse_other_heads(described, where, task)
            return task
    if asked in HEADS:
        instead = "; or --task text_embedding" if asked == CLASSIFICATION else ""
        raise BadInput(
            f"{architecture} has no head ...{HEADS[asked]}: its classes would be made up",
            where=where,
            next=f"train one on it: `modelyard train DATA --set train.base=DIR`{instead}",
        )
    reads_text = not (folder / PREPROCESSOR).is_file()
    encodes = (architecture.endswith("Model") and reads_text) or (folder / MODULES).is_file()
    if asked == EMBEDDING or encodes:
        if described.get("is_encoder_decoder"):
            raise BadInput(
                f"{architecture} is an encoder with a decoder: it gives no vector for a text",
                where=where,
                next="give an encoder (BERT, RoBERTa, MiniLM, MPNet, ...)",
            )
        return EMBEDDING
    raise BadInput(
        f"{architecture} is neither a classifier (...{', ...'.join(HEADS.values())}) nor an encoder of texts "
        f"(...Model), and no T5 (...{WRITER})",
        where=where,
        next="take its encoder for vectors of texts: --task text_embedding; or export it to ONNX and adopt that",
    )


def _refuse_other_heads(described: Mapping[str, Any], where: str, task: str) -> None:
    kind = described.get("problem_type")
    if kind in ("regression", "multi_label_classification"):
        what = "gives numbers, not classes" if kind == "regression" else "gives several classes to one item"
        raise BadInput(
            f"the model {what} (problem_type: {kind}): one class of several is what {task} answers",
            where=where,
            next="export it to ONNX and adopt the .onnx file: it is served with its own outputs",
        )


def _hold_no_length(config: AdoptConfig) -> None:
    """Raises BadConfig for a length in tokens where there are none."""
    if config.max_length is not None:
        raise BadConfig(
            "max_length counts tokens, the model reads pictures", where="adopt.max_length", next="take the key out"
        )


def _max_length(folder: Path, asked: int | None) -> int:
    """Tokens, as asked or as the folder says. Raises BadConfig for more than the model reads."""
    if asked is not None:
        longest = longest_input(folder)
        if longest is not None and asked > longest:
            raise BadConfig(
                f"max_length is {asked}, this model reads at most {longest} tokens",
                where="adopt.max_length",
                next=f"set adopt.max_length to {longest} or less",
            )
        return asked
    return most_tokens(folder)


def most_tokens(folder: Path) -> int:
    """Tokens that a text may have, by the files of a folder with a config.json; at most MOST_TOKENS."""
    described = read_object(folder / "config.json")
    positions = described.get("max_position_embeddings")
    if isinstance(positions, int) and described.get("model_type") in SHIFTED:
        positions -= SHIFT
    sentence = folder / "sentence_bert_config.json"
    said = read_object(sentence).get("max_seq_length") if sentence.is_file() else None
    known = (positions, longest_input(folder), said, MOST_TOKENS)
    return min(most for most in known if isinstance(most, int) and most > 0)


def _hold_whole(folder: Path, source: Path, auto: str) -> None:
    """Every weight of the model is in its files: transformers would fill a head that is not there at random."""
    import transformers

    from modelyard.tasks.hugging_face import quiet_transformers

    with quiet_transformers():
        try:
            _, loaded = getattr(transformers, auto).from_pretrained(
                folder, use_safetensors=True, trust_remote_code=False, output_loading_info=True
            )
        except Exception as error:  # of every kind, by what config.json says
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise BadInput(
                f"transformers does not open it: {first}", where=str(source), next="check that it opens there"
            ) from error
    if missing := sorted(loaded["missing_keys"]):
        raise BadInput(
            f"the weights lack {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else ""),
            where=str(source),
            next="copy the whole directory; a base model without a trained head is no classifier yet: train it",
        )
