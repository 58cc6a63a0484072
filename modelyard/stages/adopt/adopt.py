"""Take over a model that was made elsewhere, as what the rest of the chain reads."""

from __future__ import annotations

from pathlib import Path

from modelyard.errors import Fault
from modelyard.run import Run
from modelyard.stages.adopt.config import AdoptConfig
from modelyard.stages.adopt.foreign_files import held
from modelyard.stages.adopt.graph_files import external_files, read_graph
from modelyard.stages.adopt.hugging_face import SENTENCE_FILES, adopt_directory
from modelyard.stages.adopt.labels import unnamed
from modelyard.stages.adopt.look import Seen, look
from modelyard.stages.adopt.taken_as_it_is import take
from modelyard.stages.adopt.tensor_onnx import tensor_package
from modelyard.stages.adopt.text_graph import config_files
from modelyard.stages.adopt.text_onnx import text_package
from modelyard.store import Dataset, Model, Package
from modelyard.store.digests import digest_file, digest_json, digest_tree


def adopt(source: Path | str | Seen, config: AdoptConfig, run: Run, dataset: Dataset | None = None) -> Model | Package:
    """A Hugging Face directory or hub id to a Model; an .onnx file to a Package; what is either already, as it is.

    source: where it is, or what was seen there already.
    dataset: rows of the task that the golden set of a text ONNX is taken from, instead of sentences of our own.
    Raises BadInput for what cannot be taken over, or is not known and must be told (--task, --labels, --tokenizer).
    """
    seen = source if isinstance(source, Seen) else look(source, config)
    run.details["source"] = {"name": seen.place.name, "form": seen.form}
    match seen.form:
        case "model":
            made: Model | Package = take(seen.place, Model, config, run)
        case "package":
            made = take(seen.place, Package, config, run)
        case "directory":
            assert seen.directory is not None
            made = adopt_directory(seen.directory, run)
        case "text_onnx":
            assert seen.text is not None
            made = text_package(seen.place, seen.text, config, run, dataset)
        case "tensor_onnx":
            made = tensor_package(seen.place, config, run)
        case _:
            raise Fault(f"a {seen.form} has no way in")
    _record(made, run)
    return made


def source_digest(seen: Seen) -> str:
    """The digest of the files that adopting it reads, no place or time."""
    if seen.form in ("model", "package"):
        return digest_tree(seen.place)
    if seen.directory is not None:
        files = [*seen.directory.files]
    else:
        files = [seen.place, *held(seen.place.parent, external_files(read_graph(seen.place)))]
        if seen.text is not None:
            tokenizer = seen.text.tokenizer
            names = ("tokenizer.json", *SENTENCE_FILES)
            files += [*held(tokenizer, names), *config_files(seen.place, tokenizer)]
    return digest_json([[path.name, digest_file(path)] for path in files])


def _record(made: Model | Package, run: Run) -> None:
    """What it turned out to be, for whoever reads the report."""
    labels = [str(label) for label in made.info.get("labels") or []]
    run.details.update(kind=made.kind, task=made.task, labels=labels)
    if isinstance(made, Model):
        run.details["architecture"] = made.info.get("architecture")
    run.record("adopted_bytes", made.size(), how=f"all files of the {made.kind}", unit="bytes")
    if labels and unnamed(labels):
        run.warn(f"the classes have no names ({', '.join(labels[:5])}); say them: --labels negative,positive")
