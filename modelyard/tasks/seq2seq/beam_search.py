"""Beam search as transformers has it (`generate` with num_beams, early_stopping False), so that both write one text.

Every step the 2 x beams best continuations of an item's beams are looked at. Those of the first `beams` that end are
finished: their summed log-probability is divided by length ** length_penalty. The best `beams` of those that do not end
go on. An item is done when its best beam, as long as it is now, cannot be better than its worst finished text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from modelyard.tasks.pipeline import Array, Graph
from modelyard.tasks.seq2seq.decoding import INPUT_IDS, Decoding, largest, log_softmax
from modelyard.tasks.seq2seq.settings import Generation
from modelyard.tasks.sequences import NOTHING

NEVER = np.float32(-1.0e9)


def beam_search(
    graphs: Mapping[str, Graph], feeds: Mapping[str, Array], start: int, ends: Collection[int], settings: Generation
) -> tuple[Array, Array]:
    """output_ids int32 [n, max_new_tokens], the end among them and NOTHING behind it, and scores float32 [n], the mean
    log-probability of a token of the text that is answered."""
    n, beams, most = len(feeds[INPUT_IDS]), settings.beams, settings.max_new_tokens
    decoding = Decoding(graphs, feeds, beams)
    tokens: Array = np.full(n * beams, start, dtype=np.int64)
    running: Array = np.full((n, beams, most), NOTHING, dtype=np.int32)
    running_scores: Array = np.full((n, beams), NEVER, dtype=np.float32)
    running_scores[:, 0] = 0.0  # at first all beams of an item are the same
    finished = running.copy()
    finished_scores: Array = np.full((n, beams), NEVER, dtype=np.float32)
    is_finished = np.zeros((n, beams), dtype=bool)
    open_items = np.ones((n, 1), dtype=bool)
    width = 2 * beams
    in_reach = np.arange(width) < beams
    items = np.arange(n)[:, None]
    for step in range(most):
        shares = log_softmax(decoding.step(tokens))
        vocabulary = shares.shape[-1]
        sums = (shares.reshape(n, beams, vocabulary) + running_scores[:, :, None]).reshape(n, -1)
        places = largest(sums, width)
        best_scores = np.take_along_axis(sums, places, axis=1)
        from_beams, best_tokens = places // vocabulary, places % vocabulary
        best = running[items, from_beams]
        best[:, :, step] = best_tokens
        stops = np.isin(best_tokens, [*ends]) | (step + 1 == most)
        # Those that go on.
        going = largest(best_scores + stops * NEVER, beams)
        # Those that are finished now, among those that were before.
        scores = best_scores / np.float32((step + 1) ** settings.length_penalty)
        scores = scores + ~open_items * NEVER + ~(stops & in_reach) * NEVER
        merged = np.concatenate([finished_scores, scores], axis=1)
        kept = largest(merged, beams)
        finished = np.concatenate([finished, best], axis=1)[items, kept]
        is_finished = np.take_along_axis(np.concatenate([is_finished, stops & in_reach], axis=1), kept, axis=1)
        finished_scores = np.take_along_axis(merged, kept, axis=1)
        running = best[items, going]
        running_scores = np.take_along_axis(best_scores + stops * NEVER, going, axis=1)
        possible = running_scores[:, :1] / np.float32((step + 1) ** settings.length_penalty)
        worst = np.where(is_finished, finished_scores.min(axis=1, keepdims=True), NEVER)
        open_items &= (possible > worst).any(axis=1, keepdims=True)
        if not open_items.any() or step + 1 == most:
            break
        chosen = np.take_along_axis(from_beams, going, axis=1)
        decoding.branch((items * beams + chosen).ravel())
        tokens = np.take_along_axis(best_tokens, going, axis=1).ravel().astype(np.int64)
    ids = finished[:, 0]
    lengths = (ids != NOTHING).sum(axis=1)
    means = finished_scores[:, 0] * lengths ** (settings.length_penalty - 1.0)
    return ids, means.astype(np.float32)
