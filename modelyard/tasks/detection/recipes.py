"""What a detector is made of: its config.json, and the sizes that Modelyard makes new ones of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from modelyard.errors import BadInput

KIND = "modelyard_detector"
STRIDES = (8, 16, 32)
LEAST_SIDE, MOST_SIDE = 96, 2048


@dataclass(frozen=True)
class Detector:
    """image_size: the side of the square that pictures are brought to, in pixels; widths: channels at strides 2, 4, 8,
    16, 32; depth: residual blocks at each stride from 4 on; neck: channels of the levels that the heads look at."""

    image_size: int = 160
    widths: tuple[int, ...] = (16, 16, 32, 64, 96)
    depth: int = 1
    neck: int = 48


def config_of(detector: Detector) -> dict[str, Any]:
    """The content of config.json."""
    return {"model_type": KIND, **asdict(detector)}


# Names that a new model is made by, and its config.json.
RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "detector-nano": config_of(Detector()),
        "detector-small": config_of(Detector(image_size=320, widths=(16, 32, 64, 128, 192), depth=2, neck=96)),
    }
)


def read_config(folder: Path, image_size: int = 0) -> Detector:
    """That of a directory, brought to another `image_size` where that is not 0. Raises BadInput that names what is
    wrong with it."""
    path = folder / "config.json"
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput(f"config.json cannot be read: {error}", where=str(path)) from None
    if not isinstance(content, dict) or content.get("model_type") != KIND:
        raise BadInput(
            f"{folder.name} is no detector of Modelyard: its config.json does not say {KIND}",
            where=str(path),
            next=f"give one that modelyard train made, or one of {', '.join(RECIPES)}",
        )
    try:
        widths = tuple(int(width) for width in content["widths"])
        side = image_size or int(content["image_size"])
        detector = Detector(side, widths, int(content["depth"]), int(content["neck"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"config.json is not complete: {type(error).__name__} {error}", where=str(path)) from None
    if side % STRIDES[-1] or not LEAST_SIDE <= side <= MOST_SIDE:
        raise BadInput(
            f"image_size is {side}: it must be a multiple of {STRIDES[-1]} from {LEAST_SIDE} to {MOST_SIDE}",
            where=str(path),
        )
    if len(widths) != 5 or min(*widths, detector.depth, detector.neck) < 1:
        raise BadInput("widths must be five numbers from 1, depth and neck numbers from 1", where=str(path))
    return detector
