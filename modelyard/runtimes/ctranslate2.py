"""CTranslate2: a whole search for sequences in one call, float32; greedy ones token by token as well."""

from __future__ import annotations

import json
import queue
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.errors import Damaged, EnvironmentProblem, Fault
from modelyard.tasks.pipeline import Array, Tensors
from modelyard.tasks.sequences import (
    BEAMS,
    LENGTH_PENALTY,
    MAX_NEW_TOKENS,
    MOST_STREAMS,
    NOTHING,
    OUTPUT_IDS,
    SCORES,
)

CPU = "cpu"
IDS, MASK = "input_ids", "attention_mask"
# Searches that run beside streams that wait for their turn (see `steps`); a thread that does nothing costs nothing.
SEARCHES = 4
STOP_LIMIT_S = 10.0
VOCABULARY = "shared_vocabulary.json"  # names of all tokens: here their ids


class Generator:
    """An open model. `run` may be called from several threads at once and releases the GIL."""

    inputs: tuple[str, ...] = (IDS, MASK, BEAMS, MAX_NEW_TOKENS, LENGTH_PENALTY)
    outputs: tuple[str, ...] = (OUTPUT_IDS, SCORES)

    def __init__(self, translator: Any, tokens: int) -> None:
        """tokens: how many the model knows."""
        self._translator, self._tokens = translator, tokens
        # A thread of the engine that waits in `told` while the interpreter ends would take the process down with it.
        self._stops: list[Callable[[], None]] = []
        weakref.finalize(self, _stop_all, self._stops)

    def run(self, feeds: Mapping[str, Array]) -> Tensors:
        """input_ids, attention_mask [n, t] and the settings of the search to the best sequences and their scores."""
        penalty = float(self._feed(feeds, LENGTH_PENALTY))
        results = self._translator.translate_batch(
            self._sources(feeds), **self._options(feeds), length_penalty=penalty, return_scores=True
        )
        found = [[int(token) for token in result.hypotheses[0]] for result in results]
        # The end counts as a token; its own score is over length ** penalty.
        scores = [
            result.scores[0] * max(len(ids), 1) ** (penalty - 1.0) for result, ids in zip(results, found, strict=True)
        ]
        return {OUTPUT_IDS: _filled(found), SCORES: np.array(scores, dtype=np.float32)}

    def steps(self, feeds: Mapping[str, Array]) -> Iterator[int]:
        """As modelyard.tasks.sequences.Steps has it.

        The engine's thread waits after each token until the next is asked for, so that a stream computes only in its
        turn, and nothing at all when its reader is slow.
        """
        turn, found = threading.Semaphore(0), queue.SimpleQueue[int | Exception | None]()
        stopped = False

        def told(step: Any) -> bool:
            """Called by the engine after each token; whether to stop."""
            found.put(step.token_id)
            turn.acquire()
            return stopped

        options = {**self._options(feeds), "beam_size": 1}
        (result,) = self._translator.translate_batch(
            self._sources(feeds)[:1], **options, asynchronous=True, callback=told
        )

        def wait() -> None:
            try:
                result.result()
                found.put(None)
            except Exception as error:  # the reader raises it
                found.put(error)

        waiting = threading.Thread(target=wait, name="ctranslate2-stream", daemon=True)
        waiting.start()

        def stop() -> None:
            nonlocal stopped
            stopped = True
            turn.release()
            waiting.join(STOP_LIMIT_S)

        self._stops.append(stop)
        try:
            while (token := found.get()) is not None:
                if isinstance(token, Exception):
                    raise token
                yield token
                turn.release()
        finally:
            stop()
            self._stops.remove(stop)

    def _options(self, feeds: Mapping[str, Array]) -> dict[str, Any]:
        return {
            "beam_size": int(self._feed(feeds, BEAMS)),
            "max_decoding_length": int(self._feed(feeds, MAX_NEW_TOKENS)),
            "min_decoding_length": 0,
            "max_input_length": 0,
            "return_end_token": True,
        }

    def _sources(self, feeds: Mapping[str, Array]) -> list[list[str]]:
        """Rows of tokens, by name: their ids. Raises ValueError for one that the model does not know, which the engine
        would take for another."""
        ids, mask = self._feed(feeds, IDS), self._feed(feeds, MASK)
        given = ids[mask != 0]
        if len(given) and not (given.min() >= 0 and given.max() < self._tokens):
            raise ValueError(f"{IDS} holds {given.min()} to {given.max()}, the model knows 0 to {self._tokens - 1}")
        return [[str(token) for token in row[there != 0].tolist()] for row, there in zip(ids, mask, strict=True)]

    def _feed(self, feeds: Mapping[str, Array], name: str) -> Array:
        if name not in feeds:
            raise Fault(f"the generator takes {', '.join(self.inputs)}: {name} not given")
        return feeds[name]


def _stop_all(stops: Sequence[Callable[[], None]]) -> None:
    for stop in [*stops]:
        stop()


def _filled(rows: Sequence[Sequence[int]]) -> Array:
    filled: Array = np.full((len(rows), max(map(len, rows), default=0)), NOTHING, dtype=np.int32)
    for row, ids in zip(filled, rows, strict=True):
        row[: len(ids)] = ids
    return filled


def open_graph(files: Sequence[Path], threads: int, device: str = CPU) -> Generator:
    """Open the folder that all files lie in. Raises Damaged when it holds no usable model."""
    import ctranslate2

    folder = files[0].parent
    if any(file.parent != folder for file in files):
        raise Damaged("the files of a CTranslate2 model lie in several folders", where=str(folder))
    try:
        translator = ctranslate2.Translator(
            str(folder),
            device=CPU if device == CPU else "cuda",
            device_index=0 if device == CPU else _number(device),
            compute_type="float32",
            inter_threads=MOST_STREAMS + SEARCHES,
            intra_threads=threads,
            max_queued_batches=-1,
        )
    except (RuntimeError, ValueError) as error:
        if device != CPU:
            raise EnvironmentProblem(
                f"device {device} was asked for: {error}", where="--device", next="leave out --device"
            ) from None
        raise Damaged(f"{folder.name} does not open in CTranslate2: {error}", where=str(files[0])) from None
    try:
        tokens = len(json.loads((folder / VOCABULARY).read_bytes()))
    except (OSError, TypeError, ValueError) as error:
        raise Damaged(f"{VOCABULARY} cannot be read: {error}", where=str(folder)) from None
    return Generator(translator, tokens)


def _number(device: str) -> int:
    try:
        return int(device.removeprefix("cuda:"))
    except ValueError:
        raise EnvironmentProblem(
            f"there is no device {device!r}", where="--device", next="give --device cpu or the number of a GPU"
        ) from None
