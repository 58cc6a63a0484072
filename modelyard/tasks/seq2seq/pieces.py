"""Tokens to pieces of text while they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

# What a decoder writes for bytes that are no character, or not one yet.
BROKEN = "\N{REPLACEMENT CHARACTER}"


def text_pieces(tokens: Iterable[int], text_of: Callable[[Sequence[int]], str]) -> Iterator[str]:
    """Pieces whose concatenation is the text of all tokens. A character whose bytes come in several tokens comes with
    the last of them; a decoder that changes what it wrote before is waited for. A token that gives no text yet gives an
    empty piece, so that whoever asks for pieces in turns asks for one token at a time."""
    ids: list[int] = []
    sent = ""
    for token in tokens:
        ids.append(token)
        text = text_of(ids)
        if text.startswith(sent) and len(text) > len(sent) and not text.endswith(BROKEN):
            yield text[len(sent) :]
            sent = text
        else:
            yield ""
    text = text_of(ids)
    if len(text) > len(sent):
        yield text[len(sent) :]
