"""What a foreign model is, before anything of it is taken over: told by its files, nothing of it is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from modelyard.errors import BadConfig, BadInput
from modelyard.stages.adopt.config import AdoptConfig
from modelyard.stages.adopt.foreign_files import PICKLES, pickles_in
from modelyard.stages.adopt.hub import fetch
from modelyard.stages.adopt.hugging_face import Directory, read_directory
from modelyard.stages.adopt.onnx_checks import check
from modelyard.stages.adopt.text_graph import TextGraph, read_text_graph
from modelyard.store import Model, Package
from modelyard.tasks import CODE, is_own
from modelyard.training.base import HUB_ID

Form = Literal["model", "package", "directory", "text_onnx", "tensor_onnx"]
TOKENIZER = "tokenizer.json"
TENSOR = "tensor"
KERAS = (".keras", ".h5", ".hdf5")


@dataclass(frozen=True)
class Seen:
    """place: the folder or .onnx file; form: what it is; directory, text: what was read of one of that form."""

    place: Path
    form: Form
    task: str
    directory: Directory | None = None
    text: TextGraph | None = None

    @property
    def makes(self) -> type[Model] | type[Package]:
        """What adopting it makes."""
        return Model if self.form in ("model", "directory") else Package


def look(source: Path | str, config: AdoptConfig) -> Seen:
    """A folder, an .onnx file, or a hub id, brought to a folder. Raises BadInput that says what will do."""
    path = Path(source).expanduser()
    if path.is_file():
        return _file(path, config)
    if path.is_dir():
        return _folder(path, config)
    if HUB_ID.fullmatch(str(source)) and path.suffix.lower() not in (".onnx", *KERAS):
        return _folder(fetch(str(source), config.max_bytes), config)
    raise BadInput(
        f"there is no {source}", where=str(source), next="give a Hugging Face directory or hub id, or an .onnx file"
    )


def _file(path: Path, config: AdoptConfig) -> Seen:
    if path.suffix.lower() == ".onnx":
        if config.tokenizer is None:
            return Seen(path, "tensor_onnx", TENSOR)
        if config.task == TENSOR:
            raise BadConfig(
                "a tensor package takes the graph's own inputs: it has no tokenizer",
                where="--tokenizer",
                next="leave out --tokenizer, or --task tensor",
            )
        return _text_onnx(path, _tokenizer_folder(config.tokenizer), config)
    if path.suffix.lower() in KERAS:
        raise BadInput(
            f"{path.name} is a Keras file, which is not adopted",
            where=str(path),
            next='export it once: model.export("model.onnx", format="onnx"), and adopt that',
        )
    if any(path.match(pattern) for pattern in PICKLES):
        raise BadInput(
            f"{path.name} holds pickled objects: opening it would run code from the file",
            where=str(path),
            next="convert it once where you trust it: load it, then save_pretrained(DIR) or torch.onnx.export",
        )
    raise BadInput(
        f"{path.name} is no model that is known",
        where=str(path),
        next="give a Hugging Face directory (the folder, not a file in it) or an .onnx file",
    )


def _folder(folder: Path, config: AdoptConfig) -> Seen:
    if (folder / Package.index).is_file():
        return Seen(folder, "package", _ours(Package.open(folder), config))
    if (folder / Model.index).is_file():
        return Seen(folder, "model", _ours(Model.open(folder), config))
    weights = any(folder.glob("*.safetensors"))
    graphs = sorted(path for place in (folder, folder / "onnx") for path in place.glob("*.onnx"))
    if (folder / "config.json").is_file() and weights:
        directory = read_directory(folder, config)
        return Seen(folder, "directory", directory.task, directory=directory)
    if pickled := pickles_in(folder):
        raise BadInput(
            f"{folder.name} has only pickled weights ({pickled[0]}): opening them would run code from the file",
            where=str(folder / pickled[0]),
            next="convert them once where you trust them: load, then save_pretrained(DIR), which writes safetensors",
        )
    if len(graphs) == 1:
        if config.tokenizer is None and (folder / TOKENIZER).is_file() and config.task != TENSOR:
            return _text_onnx(graphs[0], folder, config)
        return _file(graphs[0], config)
    if graphs:
        raise BadInput(
            f"{folder.name} holds {len(graphs)} graphs: {', '.join(path.name for path in graphs[:5])}",
            where=str(folder),
            next=f"name one: {graphs[0]}" + (f" --tokenizer {folder}" if (folder / TOKENIZER).is_file() else ""),
        )
    if (folder / "saved_model.pb").is_file():
        raise BadInput(
            f"{folder.name} is a TensorFlow SavedModel, which is not adopted",
            where=str(folder),
            next="convert it once with tf2onnx, and adopt the .onnx file",
        )
    if (folder / "adapter_config.json").is_file():
        raise BadInput(
            f"{folder.name} is an adapter without the model that it adapts",
            where=str(folder),
            next="merge it once: model.merge_and_unload().save_pretrained(DIR), and give that folder",
        )
    raise BadInput(
        f"{folder.name} holds no model that is known",
        where=str(folder),
        next="a Hugging Face directory has config.json, *.safetensors and tokenizer.json; or give an .onnx file",
    )


def _ours(made: Model | Package, config: AdoptConfig) -> str:
    """The task of what Modelyard made. Raises BadInput for one that brings code which nobody allowed to run."""
    if CODE in made.info and (config.task is None or not is_own(config.task)):
        raise BadInput(
            f"the {made.kind} brings its own code (task {made.task}), which was not allowed to run",
            where=str(made.path / CODE),
            next=f"read it; if you trust it: --task {made.path / CODE}",
        )
    return made.task


def _text_onnx(path: Path, tokenizer: Path, config: AdoptConfig) -> Seen:
    graph = read_text_graph(check(path), path, tokenizer, config)
    return Seen(path, "text_onnx", graph.task, text=graph)


def _tokenizer_folder(given: Path) -> Path:
    """The folder of a tokenizer.json, given as the folder or as the file."""
    folder = given.expanduser()
    if folder.is_file() and folder.name == TOKENIZER:
        folder = folder.parent
    if not (folder / TOKENIZER).is_file():
        raise BadInput(
            f"{given} has no {TOKENIZER}",
            where="--tokenizer",
            next="write one: AutoTokenizer.from_pretrained(...).save_pretrained(DIR)",
        )
    return folder
