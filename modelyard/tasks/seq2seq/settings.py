"""How an answer is searched for: the `generation` of a package's pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# Model types whose directories are opened: one architecture.
FAMILY = ("t5", "mt5", "umt5")
# What transformers calls the file of a directory that says how to search.
SETTINGS = "generation_config.json"
MOST_BEAMS, MOST_TOKENS = 64, 4096
MOST_PENALTY = 10.0  # MOST_TOKENS ** MOST_PENALTY is a float32 still


def scaled(config: Any) -> bool:
    """Whether the decoder's answer is scaled before the head reads it, by the configuration of a model; mT5's says
    nothing of it, and is not."""
    return bool(getattr(config, "scale_decoder_outputs", False))


@dataclass(frozen=True)
class Generation:
    """beams: 1 takes the likeliest token at every step, more keep so many beginnings; max_new_tokens: where an answer
    is cut off; length_penalty: the power of an answer's length that its log-probability is divided by (beams only)."""

    beams: int = 1
    max_new_tokens: int = 64
    length_penalty: float = 1.0

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Generation:
        """Raises ValueError, TypeError, OverflowError or KeyError for what is no such object."""
        read = cls(int(spec["beams"]), int(spec["max_new_tokens"]), float(spec["length_penalty"]))
        if not 1 <= read.beams <= MOST_BEAMS or not 1 <= read.max_new_tokens <= MOST_TOKENS:
            raise ValueError(f"beams must be 1 to {MOST_BEAMS}, max_new_tokens 1 to {MOST_TOKENS}")
        if not -MOST_PENALTY <= read.length_penalty <= MOST_PENALTY:  # nor NaN
            raise ValueError(f"length_penalty must be {-MOST_PENALTY:g} to {MOST_PENALTY:g}")
        return read

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
