"""What a model wants of its pictures: framing and scale, as preprocessor_config.json of its directory says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from modelyard.errors import BadInput
from modelyard.media.framing import FILTERS, SHORTER, STRETCH, Framing

FILE = "preprocessor_config.json"
NEW_SIDE = 64  # pixels, of a new model whose configuration names no size
WARPED_FROM = 384  # pixels, from which ConvNeXT's processor cuts nothing off

HALF = (0.5, 0.5, 0.5)
CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
SQUARE, SHORTEST = {"height": 224, "width": 224}, {"shortest_edge": 224}


def _known(size: Mapping[str, int], resample: str, *, crop: bool, means: Any = (HALF, HALF)) -> Mapping[str, Any]:
    return {
        "size": size,
        "crop_size": SQUARE,
        "do_center_crop": crop,
        "resample": FILTERS.index(resample),
        "image_mean": means[0],
        "image_std": means[1],
        "rescale_factor": 1 / 255,
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
        "crop_pct": 224 / 256,
    }


# The image processors of transformers that are followed, with what they do where the file is silent.
PROCESSORS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "ViTImageProcessor": _known(SQUARE, "bilinear", crop=False),
        "DeiTImageProcessor": _known({"height": 256, "width": 256}, "bicubic", crop=True),
        "BeitImageProcessor": _known(SQUARE, "bicubic", crop=False),
        "BitImageProcessor": _known(SHORTEST, "bicubic", crop=True, means=CLIP),
        "CLIPImageProcessor": _known(SHORTEST, "bicubic", crop=True, means=CLIP),
        "ConvNextImageProcessor": _known({"shortest_edge": 384}, "bicubic", crop=False),
        "MobileNetV1ImageProcessor": _known({"shortest_edge": 256}, "bilinear", crop=True),
        "MobileNetV2ImageProcessor": _known({"shortest_edge": 256}, "bilinear", crop=True),
    }
)


@dataclass(frozen=True)
class Preparation:
    """framing: what the pipeline does; (pixel x scale - mean) / std a channel: what the graph begins with."""

    framing: Framing
    scale: float = 1 / 255
    mean: tuple[float, ...] = HALF
    std: tuple[float, ...] = HALF


def read_preparation(folder: Path, image_size: int = 0) -> Preparation:
    """That of a model's directory, brought to another `image_size` where that is not 0.

    A directory without weights needs no file of it: a new model has none to be true to. Raises BadInput.
    """
    path = folder / FILE
    if path.is_file():
        found = _of_file(path)
    elif any(folder.glob("*.safetensors")):
        raise BadInput(
            f"the directory has no {FILE}: nothing says how its pictures were scaled",
            where=str(folder),
            next="copy the whole directory; or write one: AutoImageProcessor.from_pretrained(...).save_pretrained(DIR)",
        )
    else:
        side = _json(folder / "config.json").get("image_size", NEW_SIDE)
        found = Preparation(Framing(side if isinstance(side, int) and side > 0 else NEW_SIDE))
    if not image_size or image_size == found.framing.image_size:
        return found
    scaled = round(image_size * found.framing.scaled / found.framing.image_size)
    return replace(found, framing=replace(found.framing, image_size=image_size, scaled=scaled))


def preprocessor_config(preparation: Preparation) -> dict[str, Any]:
    """The content of preprocessor_config.json: AutoImageProcessor opens it, and `read_preparation` reads it back."""
    framing = preparation.framing
    side = {"height": framing.image_size, "width": framing.image_size}
    cut = {"do_center_crop": True, "crop_size": side}
    if framing.resize == SHORTER:
        said = {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": framing.scaled}, **cut}
    elif framing.scaled > framing.image_size:
        size = {"height": framing.scaled, "width": framing.scaled}
        said = {"image_processor_type": "DeiTImageProcessor", "size": size, **cut}
    else:
        said = {"image_processor_type": "ViTImageProcessor", "size": side}
    return {
        **said,
        "do_resize": True,
        "resample": FILTERS.index(framing.resample),
        "do_rescale": True,
        "rescale_factor": preparation.scale,
        "do_normalize": True,
        "image_mean": list(preparation.mean),
        "image_std": list(preparation.std),
    }


def _of_file(path: Path) -> Preparation:
    said = _json(path)
    kind = _kind(said)
    if kind not in PROCESSORS:
        raise BadInput(
            f"pictures are prepared by {kind or 'nothing that is named'}, which is not known here",
            where=str(path),
            next=f"give a model whose image_processor_type is one of {', '.join(PROCESSORS)}",
        )
    content = {**PROCESSORS[kind], **{key: value for key, value in said.items() if value is not None}}
    try:
        framing = _framing(kind, content)
        scale = float(content["rescale_factor"]) if content["do_rescale"] else 1.0
        mean, std = (_channels(content[key], content["do_normalize"]) for key in ("image_mean", "image_std"))
    except (KeyError, TypeError, ValueError, IndexError, ArithmeticError) as error:
        raise BadInput(f"pictures cannot be prepared as it says: {error}", where=str(path)) from None
    if not content["do_normalize"]:
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if 0.0 in std:
        raise BadInput("image_std holds a 0", where=str(path))
    return Preparation(framing, scale, mean, std)


def _kind(said: Mapping[str, Any]) -> str:
    """Older files call a processor an extractor, and one on another engine by an ending."""
    named = str(said.get("image_processor_type") or said.get("feature_extractor_type") or "")
    return named.replace("FeatureExtractor", "ImageProcessor").removesuffix("Fast")


def _framing(kind: str, content: Mapping[str, Any]) -> Framing:
    """Raises ValueError, KeyError, TypeError."""
    if not content["do_resize"]:
        raise ValueError("do_resize is false: pictures of every size would come as they are")
    if content.get("do_pad"):
        raise ValueError("do_pad is true")
    resample = FILTERS[int(content["resample"])]
    size = content["size"]
    if isinstance(size, int):  # as files had it before transformers 4.26
        size = {"shortest_edge": size} if "shortest_edge" in PROCESSORS[kind]["size"] else {"height": size}
    if kind == "ConvNextImageProcessor":
        if content["do_center_crop"]:
            raise ValueError("do_center_crop is true beside crop_pct")
        side = int(size["shortest_edge"])
        if side >= WARPED_FROM:
            return Framing(side, STRETCH, side, resample)
        return Framing(side, SHORTER, int(side / float(content["crop_pct"])), resample)
    crop = _square(content["crop_size"]) if content["do_center_crop"] else 0
    if "shortest_edge" in size:
        if not crop:
            raise ValueError("the shorter side alone is scaled and nothing is cut: the pictures would differ in size")
        return Framing(crop, SHORTER, int(size["shortest_edge"]), resample)
    scaled = _square(size)
    return Framing(crop or scaled, STRETCH, scaled, resample)


def _square(size: Any) -> int:
    if isinstance(size, int):
        return size
    height, width = int(size["height"]), int(size.get("width", size["height"]))
    if height != width:
        raise ValueError(f"{height} x {width} pixels are no square")
    return height


def _channels(values: Any, used: bool) -> tuple[float, ...]:
    given = [values] * 3 if isinstance(values, int | float) else list(values)
    if used and len(given) != 3:
        raise ValueError(f"{len(given)} numbers for the three colours")
    return tuple(float(value) for value in given)


def _json(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput(f"{path.name} cannot be read: {error}", where=str(path)) from None
    if not isinstance(loaded, dict):
        raise BadInput(f"{path.name} is not a JSON object", where=str(path))
    return loaded
