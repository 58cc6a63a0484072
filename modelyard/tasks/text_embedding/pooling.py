"""How the vectors of a text's tokens become one, and where a directory says it. The arithmetic in NumPy, for graphs
that leave it to whoever runs them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from modelyard.errors import BadInput
from modelyard.tasks.pipeline import Array
from modelyard.tasks.text.directory import read_json

Mode = Literal["mean", "cls", "none"]
MODES: tuple[Mode, ...] = get_args(Mode)
MODULES = "modules.json"  # of sentence-transformers: the steps behind the tokenizer, in order
# Keys of the Pooling module's configuration that we know what to do with.
KNOWN: dict[str, Mode] = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
NEWER: dict[str, Mode] = {"mean": "mean", "cls": "cls"}
SMALLEST = 1e-12  # what a length is at least, as torch.nn.functional.normalize has it


@dataclass(frozen=True)
class Pooling:
    """mode: `mean` over the tokens of the text, `cls` the first token's, `none`: the graph gives one vector already.
    normalize: vectors of length 1. assumed: nobody said so, it is what most such models were trained with."""

    mode: Mode
    normalize: bool
    assumed: bool = False


def read_pooling(folder: Path) -> Pooling:
    """What modules.json and the configuration of its Pooling step say; mean and length 1 where there is none.

    Raises BadInput for a step or a way of pooling that we do not carry out.
    """
    path = folder / MODULES
    if not path.is_file():
        return Pooling("mean", normalize=True, assumed=True)
    try:
        steps = json.loads(path.read_bytes())
        kinds = [(str(step["type"]).rpartition(".")[2], str(step["path"])) for step in steps]
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(f"{MODULES} lists no steps: {error}", where=str(path)) from None
    unknown = [kind for kind, _ in kinds if kind not in ("Transformer", "Pooling", "Normalize")]
    if unknown:
        raise BadInput(
            f"the model has a step {unknown[0]} behind its tokens, which export does not carry out",
            where=str(path),
            next="export it to ONNX with that step in the graph, and adopt the .onnx file",
        )
    pooled = [place for kind, place in kinds if kind == "Pooling"]
    mode: Mode = "mean"
    if pooled:
        config = folder / pooled[0] / "config.json"
        if not config.resolve().is_relative_to(folder.resolve()):
            raise BadInput(f"the step {pooled[0]} leaves the directory", where=str(path))
        mode = _mode(read_json(config), config)
    return Pooling(mode, normalize=any(kind == "Normalize" for kind, _ in kinds), assumed=not pooled)


def _mode(config: dict[str, Any], path: Path) -> Mode:
    """One way of pooling. Newer directories name it, older ones have a switch for each."""
    asked = [key for key, on in config.items() if key.startswith("pooling_mode_") and on is True]
    named = config.get("pooling_mode")
    found = KNOWN.get(asked[0]) if len(asked) == 1 else NEWER.get(named) if isinstance(named, str) else None
    if found is None:
        raise BadInput(
            f"the model pools by {', '.join(asked) or named or 'nothing'}; known: {', '.join([*KNOWN])}",
            where=str(path),
            next="export it to ONNX with its pooling in the graph, and adopt the .onnx file",
        )
    return found


def pooled(hidden: Array, mask: Array | None, mode: Mode, normalize: bool) -> Array:
    """Vectors [n, D] of hidden states [n, tokens, D], or of vectors already; mask [n, tokens] is 1 for the tokens.

    Raises BadInput where there is no mask to take the mean by, or the shape fits no mode.
    """
    if mode != "none" and hidden.ndim == 3:
        if mode == "cls":
            hidden = hidden[:, 0]
        elif mask is None:
            raise BadInput("the mean over the tokens needs the feed attention_mask", next="add it to pipeline.feeds")
        else:
            weights = mask[..., None].astype(hidden.dtype)
            hidden = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
    if hidden.ndim != 2:
        raise BadInput(
            f"the graph gives an output of {hidden.ndim} axes, a vector for each text has 2",
            next="say how its tokens are pooled: pipeline.pooling",
        )
    if normalize:
        lengths = np.sqrt((hidden.astype(np.float64) ** 2).sum(axis=-1, keepdims=True))
        hidden = hidden / np.maximum(lengths, SMALLEST)
    vectors: Array = np.asarray(hidden, dtype=np.float32)
    return vectors
