"""A T5 of transformers as a model of CTranslate2, float32, its tokens named by their ids.

CTranslate2 reads and writes tokens as texts, and its own converter takes them from a tokenizer that it knows. Named by
their ids they need no tokenizer: the pipeline, which has one, hands over ids and gets ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadInput, EnvironmentProblem
from modelyard.tasks.seq2seq.settings import scaled
from modelyard.tasks.sequences import GENERATOR

if TYPE_CHECKING:
    from transformers import T5ForConditionalGeneration

NAME = RUNTIME = FORMAT = "ctranslate2"
REQUIRES = {"ctranslate2": "4.6"}
# What its Translator reads of a folder; the weights first.
FILES = ("model.bin", "config.json", "shared_vocabulary.json")
FAMILY = ("t5", "mt5")


def engine_variant(
    model: T5ForConditionalGeneration, package_folder: Path, start: int, ends: Sequence[int]
) -> dict[str, Any]:
    """Write the model into a package under construction; its entry in package.json. Raises as `convert` does."""
    folder = Path("variants") / NAME
    files = convert(model, package_folder / folder, start, ends)
    graph = {"format": FORMAT, "files": [(folder / file).as_posix() for file in files]}
    return {"name": NAME, "runtime": RUNTIME, "requires": REQUIRES, "graphs": {GENERATOR: graph}}


def convert(model: T5ForConditionalGeneration, target_folder: Path, start: int, ends: Sequence[int]) -> list[str]:
    """Write a model into a folder that does not exist yet; the names of its files.

    start: the token before the first one; ends: those that end a text. Raises EnvironmentProblem where ctranslate2 is
    not installed, BadInput for a model that it cannot carry.
    """
    try:
        import ctranslate2
        from ctranslate2.converters.transformers import T5Loader
    except ImportError:
        raise EnvironmentProblem(
            "a variant for CTranslate2 needs ctranslate2, which is not installed",
            next="pip install 'modelyard[ctranslate2]'",
        ) from None
    config = model.config
    if config.model_type not in FAMILY:
        raise BadInput(f"CTranslate2 has no place for a model of the type {config.model_type}")
    if len(ends) != 1:
        raise BadInput(f"CTranslate2 knows one end of a text, this model has {len(ends)}")
    loader = T5Loader()
    try:
        spec = loader.get_model_spec(model)
        # Its loader asks whether embeddings are tied, which says nothing of it any more.
        unscaled = ctranslate2.specs.model_spec.OPTIONAL
        spec.decoder.scale_outputs = config.d_model**-0.5 if scaled(config) else unscaled
        spec.config.layer_norm_epsilon = config.layer_norm_epsilon
        spec.config.bos_token = spec.config.unk_token = spec.config.decoder_start_token = str(start)
        spec.config.eos_token = str(ends[0])
        loader.set_vocabulary(spec, [str(token) for token in range(config.vocab_size)])
        spec.validate()
        spec.optimize()
        target_folder.mkdir(parents=True)
        spec.save(str(target_folder))
    except (AttributeError, KeyError, NotImplementedError, ValueError) as error:
        raise BadInput(f"CTranslate2 has no place for this model: {error}") from None
    return [name for name in FILES if (target_folder / name).is_file()]
