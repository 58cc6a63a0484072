"""Text to token ids: written once, for training and for serving. Needs `tokenizers` and NumPy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.tasks.pipeline import Array, Prepared, Tensors

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

INPUT = "text"
FEEDS = ("input_ids", "attention_mask", "token_type_ids")


class TextPrepare:
    """A tokenizer.json with its truncation set by us: what the file itself says about padding and length is overruled.

    feeds: those of FEEDS that the graph takes; pad_id fills `input_ids` on the right.
    """

    def __init__(self, tokenizer: Tokenizer, max_length: int, feeds: Sequence[str], pad_id: int) -> None:
        unknown = sorted(set(feeds) - set(FEEDS))
        if unknown:
            raise BadInput(f"the pipeline feeds {', '.join(unknown)}, a text gives only {', '.join(FEEDS)}")
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length)
        self._tokenizer = tokenizer
        self._feeds = tuple(feeds)
        self._pad_id = pad_id

    @staticmethod
    def open(path: Path, max_length: int, feeds: Sequence[str], pad_id: int) -> TextPrepare:
        """Raises BadInput when the file is missing or is no tokenizer."""
        return TextPrepare(open_tokenizer(path), max_length, feeds, pad_id)

    @staticmethod
    def of_package(folder: Path, spec: Mapping[str, Any]) -> TextPrepare:
        """spec: a package's `pipeline` object: {"tokenizer": path in the folder, "max_length", "feeds", "pad_id"}.

        Raises BadInput when it is not complete or leaves the folder.
        """
        try:
            path = folder / str(spec["tokenizer"])
            max_length, feeds, pad_id = int(spec["max_length"]), list(spec["feeds"]), int(spec.get("pad_id", 0))
            if max_length < 1:
                raise ValueError(f"max_length is {max_length}")
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise BadInput(f"the pipeline of this package is not complete: {error}", where=str(folder)) from None
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BadInput(f"the tokenizer path {spec['tokenizer']} leaves the package", where=str(folder))
        return TextPrepare.open(path, max_length, feeds, pad_id)

    def __call__(self, item: Mapping[str, Any]) -> Prepared:
        """Raises BadInput for a text that is missing, blank or not UTF-8."""
        return self._prepared(self._tokenizer.encode(read_text(item)))

    def batch(self, items: Sequence[Mapping[str, Any]]) -> list[Prepared]:
        """The same for many items, on all cores. Raises BadInput that names the place of the first bad one."""
        texts = []
        for place, item in enumerate(items):
            try:
                texts.append(read_text(item))
            except BadInput as error:
                raise BadInput(error.message, where=f"item {place}", next=error.next) from None
        return [self._prepared(encoding) for encoding in self._tokenizer.encode_batch_fast(texts)]

    def collate(self, items: Sequence[Prepared]) -> Tensors:
        """Feeds of shape [items, longest], int64."""
        longest = max(item.size for item in items)
        feeds: Tensors = {}
        for name in self._feeds:
            padded: Array = np.full((len(items), longest), self._pad_id if name == "input_ids" else 0, dtype=np.int64)
            for row, item in zip(padded, items, strict=True):
                row[: item.size] = item.features[name]
            feeds[name] = padded
        return feeds

    def _prepared(self, encoding: Encoding) -> Prepared:
        parts = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask}
        if "token_type_ids" in self._feeds:
            parts["token_type_ids"] = encoding.type_ids
        return Prepared(
            {name: np.array(parts[name], dtype=np.int64) for name in self._feeds},
            size=len(encoding.ids),
            truncated=bool(encoding.overflowing),
        )


def open_tokenizer(path: Path) -> Tokenizer:
    """Raises BadInput when the file is missing or is no tokenizer."""
    from tokenizers import Tokenizer

    if not path.is_file():
        raise BadInput(f"the tokenizer {path.name} is missing", where=str(path), next="copy the whole directory")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the Rust side raises plain Exception
        raise BadInput(f"{path.name} is not a tokenizer: {error}", where=str(path)) from None


def read_text(item: Mapping[str, Any]) -> str:
    """The text of an item, str or UTF-8 bytes. Raises BadInput."""
    value = item.get(INPUT)
    if value is None:
        raise BadInput(f"the input {INPUT} is missing", where=INPUT, next=f'give {{"{INPUT}": "..."}}')
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            text = bytes(value).decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadInput(
                f"the text is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}",
                where=INPUT,
                next="send UTF-8",
            ) from None
    elif isinstance(value, str):
        text = value
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise BadInput(
                f"the text holds half a surrogate pair at character {error.start}",
                where=INPUT,
                next="send whole characters",
            ) from None
    else:
        raise BadInput(f"the text is {type(value).__name__}, not a string", where=INPUT, next="send a string")
    if not text.strip():
        raise BadInput("the text is empty", where=INPUT, next="send a text that holds something to read")
    return text
