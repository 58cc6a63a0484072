"""The half of sequence to sequence that needs torch, behind the seam of modelyard.tasks.training."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadInput, Fault, ModelyardError
from modelyard.tasks.pipeline import Array, Graph, Pipeline, Tensors
from modelyard.tasks.seq2seq.decoding import LOGITS
from modelyard.tasks.seq2seq.engine import engine_variant
from modelyard.tasks.seq2seq.pipeline import FORCED, TEXT, Seq2SeqPipeline
from modelyard.tasks.seq2seq.recipes import RECIPES
from modelyard.tasks.seq2seq.settings import MOST_TOKENS, SETTINGS, Generation
from modelyard.tasks.seq2seq.tokenizer import learn_tokenizer, write_tokenizer
from modelyard.tasks.sequences import NOTHING, OUTPUT_IDS, SCORES
from modelyard.tasks.text.directory import open_prepare, read_json
from modelyard.tasks.text.graph import TOKENIZER
from modelyard.tasks.text.prepare import open_tokenizer

if TYPE_CHECKING:
    import torch

RIGHT, TOKENS = "right_tokens", "tokens"


class Seq2SeqTraining:
    recipes = RECIPES
    base_files: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._pipeline: Seq2SeqPipeline | None = None
        self._max_length = 0

    def learns(self, base: str) -> bool:
        """A recipe has no tokenizer: it is learned from the texts. Trained weights have one, or are of no use."""
        return not (Path(base) / "tokenizer.json").is_file() and not any(Path(base).glob("*.safetensors"))

    def learn(self, base: str, rows: Iterator[Mapping[str, Any]], folder: Path) -> None:
        """A base with a tokenizer of at most vocab_size tokens for sources and targets alike."""
        config, most = read_json(Path(base) / "config.json"), _vocabulary(Path(base))
        tokenizer = learn_tokenizer((str(row[name]) for row in rows for name in (TEXT, "target")), most)
        write_tokenizer(tokenizer, folder)
        config["vocab_size"] = tokenizer.get_vocab_size()
        (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")

    def load(self, base: str, labels: Sequence[str], options: Mapping[str, Any]) -> torch.nn.Module:
        from modelyard.tasks.seq2seq.model import load_t5

        model: torch.nn.Module = load_t5(Path(base), options)
        return model

    def pipeline(self, base: str, labels: Sequence[str], max_length: int) -> Seq2SeqPipeline:
        prepare, _ = open_prepare(Path(base), max_length)
        spec = _generation_of(Path(base), max_length)
        tokenizer = open_tokenizer(Path(base) / "tokenizer.json")
        known = _vocabulary(Path(base))
        if tokenizer.get_vocab_size() > known:
            raise BadInput(
                f"the tokenizer has {tokenizer.get_vocab_size():,} tokens, the model knows {known:,}",
                where=str(Path(base) / "config.json"),
                next="give the tokenizer that belongs to the model, or raise vocab_size for a new one",
            )
        strange = [token for token in (spec["start_id"], *spec["end_ids"]) if not 0 <= token < known]
        if strange:
            raise BadInput(
                f"texts start or end with the token {strange[0]}, the model knows 0 to {known - 1:,}",
                where=str(Path(base) / SETTINGS),
                next="put decoder_start_token_id and eos_token_id right, here or in config.json",
            )
        self._pipeline = Seq2SeqPipeline(
            prepare,
            tokenizer,
            spec["start_id"],
            spec["end_ids"],
            Generation.read(spec["generation"]),
        )
        self._max_length = max_length
        return self._pipeline

    def targets(self, values: Sequence[Any], labels: Sequence[str]) -> list[Array]:
        """By the tokenizer of the pipeline that was made last, cut off at its max_length: a base that writes shorter
        texts by itself is to learn the longer ones."""
        if self._pipeline is None:
            raise Fault("the targets of seq2seq are tokens: `pipeline` opens their tokenizer first")
        return self._pipeline.encode_targets([str(value) for value in values], self._max_length)

    def forward(self, model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        from modelyard.tasks.seq2seq.model import forced_logits

        return {LOGITS: forced_logits(model, feeds)}

    def taught(
        self, model: torch.nn.Module, feeds: Mapping[str, torch.Tensor], targets: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """logits [n, steps, vocabulary] with the tokens of targets [n, steps] given, one behind. When it is judged also
        how many of its choices are right of how many, int64 [n]."""
        config: Any = model.config
        start = config.pad_token_id if config.decoder_start_token_id is None else config.decoder_start_token_id
        given = targets.new_full(targets.shape, start)
        given[:, 1:] = targets[:, :-1].clamp(min=0)
        outputs = self.forward(model, {**feeds, FORCED: given})
        if not model.training:
            there = targets != NOTHING
            outputs[RIGHT] = ((outputs[LOGITS].argmax(dim=-1) == targets) & there).sum(dim=1)
            outputs[TOKENS] = there.sum(dim=1)
        return outputs

    def loss(
        self, outputs: Mapping[str, torch.Tensor], targets: torch.Tensor, options: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross entropy over all tokens that are wanted, and how many these are."""
        from torch.nn import functional

        total = functional.cross_entropy(
            outputs[LOGITS].flatten(0, 1).float(),
            targets.flatten(),
            ignore_index=NOTHING,
            reduction="sum",
            label_smoothing=float(options.get("label_smoothing", 0.0)),
        )
        return total, (targets != NOTHING).sum().to(total.dtype)

    def judged(self, outputs: Tensors) -> Tensors:
        return {name: outputs[name] for name in (RIGHT, TOKENS)}

    def metrics(self, outputs: Tensors, targets: Array, labels: Sequence[str]) -> dict[str, float]:
        """token_accuracy: right choices with the wanted tokens given; exact_match: rows all of whose are, which greedy
        search then writes as they are wanted. Without a search, which would take longer than the epoch."""
        right, tokens = outputs[RIGHT], outputs[TOKENS]
        return {
            "token_accuracy": float(right.sum() / max(tokens.sum(), 1)),
            "exact_match": float((right == tokens).mean()),
        }

    def save(self, model: torch.nn.Module, base: str, folder: Path, labels: Sequence[str], max_length: int) -> None:
        from modelyard.tasks.seq2seq.model import save_t5

        save_t5(model, Path(base), folder, max_length, _generation_of(Path(base), max_length)["generation"])

    def generator(self, model: torch.nn.Module, pipeline: Pipeline) -> Graph:
        from modelyard.tasks.seq2seq.model import Generator

        assert isinstance(pipeline, Seq2SeqPipeline)
        return Generator(model, pipeline)

    def export(self, model_folder: Path, package_folder: Path, max_length: int) -> dict[str, Any]:
        """Two graphs: the encoder, and one step of the decoder with its cache. Beside them the model for CTranslate2,
        where that is installed."""
        from modelyard.tasks.seq2seq.model import load_t5
        from modelyard.tasks.seq2seq.two_graphs import export_two_graphs

        _, spec = open_prepare(model_folder, max_length)
        generation = _generation_of(model_folder, max_length)
        model = load_t5(model_folder, {})
        graphs = export_two_graphs(model, package_folder)
        tokenizer = package_folder / TOKENIZER
        tokenizer.parent.mkdir(parents=True, exist_ok=True)
        tokenizer.write_bytes((model_folder / "tokenizer.json").read_bytes())
        most = generation["generation"]["max_new_tokens"]
        variants: list[dict[str, Any]] = []
        left_out: list[str] = []
        try:
            variants.append(engine_variant(model, package_folder, generation["start_id"], generation["end_ids"]))
        except ModelyardError as error:
            left_out.append(f"{error.message}; the package goes without" + (f": {error.next}" if error.next else ""))
        return {
            "graphs": graphs,
            "variants": variants,
            "left_out": left_out,
            "pipeline": {"tokenizer": TOKENIZER, **spec, **generation},
            "tensor": {
                "inputs": [{"name": name, "datatype": "INT64", "shape": [-1, -1]} for name in spec["feeds"]],
                "outputs": [
                    {"name": OUTPUT_IDS, "datatype": "INT32", "shape": [-1, most]},
                    {"name": SCORES, "datatype": "FP32", "shape": [-1]},
                ],
            },
        }


def _vocabulary(folder: Path) -> int:
    """How many tokens the model of a directory knows, or may know. Raises BadInput where it does not say so."""
    said = read_json(folder / "config.json").get("vocab_size")
    if not isinstance(said, int) or said < 1:
        raise BadInput(
            "config.json does not say how many tokens the model knows",
            where=str(folder / "config.json"),
            next="write the number into it as vocab_size; for a new model 4000, say",
        )
    return said


def _generation_of(folder: Path, max_length: int) -> dict[str, Any]:
    """start_id, end_ids and generation, by generation_config.json where it says so, else by config.json."""
    config = read_json(folder / "config.json")
    said = read_json(folder / SETTINGS) if (folder / SETTINGS).is_file() else {}

    def either(name: str, otherwise: Any) -> Any:
        return next((known for known in (said.get(name), config.get(name)) if known is not None), otherwise)

    end = either("eos_token_id", 1)
    longest = said.get("max_length")  # the older way to say it: with the token before the first one
    plain = Generation().as_json()
    try:
        settings = {
            "beams": said.get("num_beams"),
            "max_new_tokens": said.get("max_new_tokens") or (longest and longest - 1) or min(max_length, MOST_TOKENS),
            "length_penalty": said.get("length_penalty"),
        }
        generation = Generation.read({name: plain[name] if v is None else v for name, v in settings.items()})
        start = int(either("decoder_start_token_id", either("pad_token_id", 0)))
        ends = [int(each) for each in (end if isinstance(end, list) else [end])]
    except (OverflowError, TypeError, ValueError) as error:
        raise BadInput(
            f"{SETTINGS} does not say how to search: {error}",
            where=str(folder / SETTINGS),
            next="put it right, or take the file out: then the search is greedy",
        ) from None
    return {"start_id": start, "end_ids": ends, "generation": generation.as_json()}
