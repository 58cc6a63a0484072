"""prepare -> encoder and decoder, token by token -> decode: a text in, a text out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from modelyard.errors import BadInput, Fault
from modelyard.tasks.pipeline import Array, Graph, Tensors
from modelyard.tasks.seq2seq.beam_search import beam_search
from modelyard.tasks.seq2seq.decoding import LOGITS, Decoding
from modelyard.tasks.seq2seq.greedy import greedy, greedy_tokens
from modelyard.tasks.seq2seq.pieces import text_pieces
from modelyard.tasks.seq2seq.settings import Generation
from modelyard.tasks.sequences import GENERATOR, NOTHING, OUTPUT_IDS, SCORES, Steps, settings
from modelyard.tasks.text.pipeline import TextPipeline
from modelyard.tasks.text.prepare import TextPrepare, open_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TEXT, SCORE = "text", "score"
FORCED = "decoder_input_ids"


class Seq2SeqPipeline(TextPipeline):
    """The one pipeline of training, export, evaluation and the server.

    Raw outputs: `output_ids` int32 [n, max_new_tokens], the end of the text among them and -1 behind it, and `scores`
    float32 [n]. Roles: `encoder` and `decoder` (see decoding.py), or `generator`, an engine that answers these two
    itself; `model`, the model in PyTorch, answers `logits` to forced tokens.
    """

    def __init__(
        self, prepare: TextPrepare, tokenizer: Tokenizer, start: int, ends: Sequence[int], generation: Generation
    ) -> None:
        """start: the token before the first one; ends: those that end a text."""
        super().__init__(prepare)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self.start, self.ends, self.generation = start, tuple(ends), generation

    @classmethod
    def open(cls, folder: Path, spec: Mapping[str, Any]) -> Self:
        """spec: as TextPrepare.of_package has it, and {"start_id", "end_ids", "generation"}. Raises BadInput when it is
        not complete."""
        prepare = TextPrepare.of_package(folder, spec)
        try:
            start, ends = int(spec["start_id"]), [int(end) for end in spec["end_ids"]]
            generation = Generation.read(spec["generation"])
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise BadInput(f"the pipeline of this package is not complete: {error}", where=str(folder)) from None
        return cls(prepare, open_tokenizer(folder / str(spec["tokenizer"])), start, ends, generation)

    def generating(self, settings: Mapping[str, Any]) -> Self:
        """Answer by other settings from now on."""
        self.generation = replace(self.generation, **settings)
        return self

    def generation_spec(self) -> dict[str, Any]:
        return self.generation.as_json()

    def run(self, graphs: Mapping[str, Graph], feeds: Mapping[str, Array]) -> Tensors:
        if GENERATOR in graphs:
            answered = graphs[GENERATOR].run({**feeds, **self._settings()})
            ids, scores = answered[OUTPUT_IDS], answered[SCORES]
        elif self.generation.beams == 1:
            ids, scores = greedy(graphs, feeds, self.start, self.ends, self.generation.max_new_tokens)
        else:
            ids, scores = beam_search(graphs, feeds, self.start, self.ends, self.generation)
        return {OUTPUT_IDS: ids, SCORES: scores}

    def decode(self, outputs: Tensors) -> Tensors:
        """text (object array of str) and score float32, the mean log-probability of a token, both [n]."""
        texts = np.empty(len(outputs[OUTPUT_IDS]), dtype=object)
        for row, ids in enumerate(outputs[OUTPUT_IDS]):
            texts[row] = self._text(ids[ids != NOTHING].tolist())
        return {TEXT: texts, SCORE: outputs[SCORES].astype(np.float32)}

    def stream(self, graphs: Mapping[str, Graph], feeds: Tensors) -> Iterator[str]:
        """Pieces of the text of the one item of `feeds`, as its tokens come; together what greedy search answers."""
        engine = graphs.get(GENERATOR)
        if engine is None:
            tokens = greedy_tokens(graphs, feeds, self.start, self.ends, self.generation.max_new_tokens)
        elif isinstance(engine, Steps):
            tokens = (token for token in engine.steps({**feeds, **self._settings()}) if token not in self.ends)
        else:
            raise Fault("the engine of this variant answers whole texts only")
        return text_pieces(tokens, self._text)

    def forced(self, graphs: Mapping[str, Graph], feeds: Tensors, answered: Tensors) -> Tensors:
        """`logits` float32 [n, longest, vocabulary] at every token of an answer, each token given and not chosen; 0
        behind the end of a text."""
        ids = answered[OUTPUT_IDS]
        longest = max(1, int((ids != NOTHING).sum(axis=1).max(initial=1)))
        there = ids[:, :longest] != NOTHING
        given: Array = np.full((len(ids), longest), self.start, dtype=np.int64)
        given[:, 1:] = np.where(there[:, :-1], ids[:, : longest - 1], self.start)
        if "model" in graphs:
            logits = graphs["model"].run({**feeds, FORCED: given})[LOGITS]
        elif "decoder" in graphs:
            decoding = Decoding(graphs, feeds)
            logits = np.stack([decoding.step(given[:, place]) for place in range(longest)], axis=1)
        else:
            raise Fault(f"the roles {', '.join(graphs)} answer whole texts, and no logits")
        return {LOGITS: np.where(there[:, :, None], logits, np.float32(0.0))}

    def encode_targets(self, texts: Sequence[str], most: int) -> list[Array]:
        """The tokens of each text that is wanted, its end among them, int64 [tokens], no more than `most`."""
        self._tokenizer.enable_truncation(most)
        return [np.array(encoding.ids, dtype=np.int64) for encoding in self._tokenizer.encode_batch_fast([*texts])]

    def _settings(self) -> Tensors:
        return settings(self.generation.beams, self.generation.max_new_tokens, self.generation.length_penalty)

    def _text(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode([*ids], skip_special_tokens=True))
