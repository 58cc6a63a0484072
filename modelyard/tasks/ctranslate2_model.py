"""A T5 of transformers as a model of CTranslate2, float32, its tokens named by their ids.

CTranslate2 reads and writes tokens as texts, and its own converter takes them from a tokenizer that it knows. Named by
their ids they need no tokenizer: the pipeline, which has one, hands over ids and gets ids.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modelyard.errors import BadInput, EnvironmentProblem
from modelyard.tasks.sequences import GENERATOR

NAME = RUNTIME = FORMAT = "ctranslate2"
REQUIRES = {"ctranslate2": "4.6"}
# What its Translator reads of a folder; the weights first.
FILES = ("model.bin", "config.json", "shared_vocabulary.json")


def engine_variant(model_folder: Path, package_folder: Path) -> dict[str, Any]:
    """Write the model into a package under construction; its entry in package.json. Raises as `convert` does."""
    folder = Path("variants") / NAME
    files = convert(model_folder, package_folder / folder)
    graph = {"format": FORMAT, "files": [(folder / file).as_posix() for file in files]}
    return {"name": NAME, "runtime": RUNTIME, "requires": REQUIRES, "graphs": {GENERATOR: graph}}


def convert(model_folder: Path, target_folder: Path) -> list[str]:
    """Write the model of a T5 directory into a folder that does not exist yet; the names of its files.

    Raises EnvironmentProblem where ctranslate2 is not installed, BadInput for a model that it cannot carry.
    """
    try:
        import ctranslate2
        from ctranslate2.converters.transformers import T5Loader
    except ImportError:
        raise EnvironmentProblem(
            "a variant for CTranslate2 needs ctranslate2, which is not installed",
            next="pip install 'modelyard[ctranslate2]'",
        ) from None
    from transformers import AutoConfig, T5ForConditionalGeneration

    kind = AutoConfig.from_pretrained(str(model_folder), local_files_only=True).model_type
    if kind != "t5":
        raise BadInput(f"a model of type {kind} is no T5", where=str(model_folder))
    model = T5ForConditionalGeneration.from_pretrained(str(model_folder), local_files_only=True).float().eval()
    config = model.config
    if not isinstance(config.eos_token_id, int):
        raise BadInput("CTranslate2 knows one end of a text", where=f"{model_folder}: {config.eos_token_id}")
    loader = T5Loader()
    try:
        spec = loader.get_model_spec(model)
        # Its loader asks whether embeddings are tied, which says nothing of it any more.
        unscaled = ctranslate2.specs.model_spec.OPTIONAL
        spec.decoder.scale_outputs = config.d_model**-0.5 if config.scale_decoder_outputs else unscaled
        spec.config.layer_norm_epsilon = config.layer_norm_epsilon
        spec.config.bos_token = spec.config.unk_token = str(config.pad_token_id)
        spec.config.eos_token = str(config.eos_token_id)
        spec.config.decoder_start_token = str(config.decoder_start_token_id)
        loader.set_vocabulary(spec, [str(token) for token in range(config.vocab_size)])
        spec.validate()
        spec.optimize()
        target_folder.mkdir(parents=True)
        spec.save(str(target_folder))
    except (AttributeError, KeyError, NotImplementedError, ValueError) as error:
        raise BadInput(f"CTranslate2 has no place for this model: {error}", where=str(model_folder)) from None
    return [name for name in FILES if (target_folder / name).is_file()]
