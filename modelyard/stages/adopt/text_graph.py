"""An ONNX graph that reads tokens: what it takes, which of its outputs says something, and what task that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadConfig, BadInput
from modelyard.stages.adopt.config import AdoptConfig
from modelyard.stages.adopt.foreign_files import held, read_object
from modelyard.stages.adopt.hugging_face import CLASSIFICATION, EMBEDDING
from modelyard.stages.adopt.labels import labels_of
from modelyard.stages.adopt.own_variant import opset, quantised
from modelyard.tasks.text.prepare import FEEDS

if TYPE_CHECKING:
    import onnx

# Outputs by the names that exporters give them, the best first.
CLASS_NAMES = ("logits",)
VECTOR_NAMES = ("sentence_embedding", "sentence_embeddings", "embedding", "embeddings", "pooler_output")
TOKEN_NAMES = ("last_hidden_state", "token_embeddings", "hidden_states")
CONFIG = "config.json"
BATCH, TOKENS = 0, 1


@dataclass(frozen=True)
class Output:
    """name; axes: a number, or None for a free one."""

    name: str
    axes: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.name} [{', '.join('free' if axis is None else str(axis) for axis in self.axes)}]"


@dataclass(frozen=True)
class TextGraph:
    """What a text ONNX is. tokenizer: its folder; pooled: whether the output is one vector a text, not one a token."""

    tokenizer: Path
    task: str
    feeds: tuple[str, ...]
    output: Output
    labels: tuple[str, ...]
    pooled: bool
    quantised: bool
    opset: int

    def tensor(self) -> dict[str, Any]:
        """The graph in V2 terms, -1 for a free axis."""
        inputs = [{"name": name, "datatype": "INT64", "shape": [-1, -1]} for name in self.feeds]
        shape = [-1 if axis is None else axis for axis in self.output.axes]
        return {"inputs": inputs, "outputs": [{"name": self.output.name, "datatype": "FP32", "shape": shape}]}


def read_text_graph(proto: onnx.ModelProto, path: Path, tokenizer: Path, config: AdoptConfig) -> TextGraph:
    """Raises BadInput with what was seen, and what must be told."""
    outputs = [Output(value.name, _axes(value)) for value in proto.graph.output if _is_float(value)]
    feeds = _feeds(proto, path)
    configs = config_files(path, tokenizer)
    described = read_object(configs[0]) if configs else {}
    task, output, labels = _task(outputs, described, config, path)
    return TextGraph(
        tokenizer,
        task,
        feeds,
        output,
        labels,
        pooled=len(output.axes) == 2,
        quantised=quantised(proto),
        opset=opset(proto),
    )


def _axes(value: onnx.ValueInfoProto) -> tuple[int | None, ...]:
    return tuple(axis.dim_value if axis.HasField("dim_value") else None for axis in value.type.tensor_type.shape.dim)


def _is_float(value: onnx.ValueInfoProto) -> bool:
    import onnx

    return bool(value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT)


def _feeds(proto: onnx.ModelProto, path: Path) -> tuple[str, ...]:
    """The inputs, all of which a tokenizer must be able to fill."""
    import onnx

    constants = {initializer.name for initializer in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in constants]
    names = [value.name for value in inputs]
    strange = [name for name in names if name not in FEEDS]
    advice = "leave out --tokenizer: it is then served with its own inputs, as a tensor package"
    if strange or FEEDS[0] not in names:
        raise BadInput(
            f"the graph takes {', '.join(names)}; a tokenizer gives {', '.join(FEEDS)}", where=str(path), next=advice
        )
    for value in inputs:
        if value.type.tensor_type.elem_type != onnx.TensorProto.INT64:
            kind = onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type)
            raise BadInput(f"the input {value.name} is {kind}; tokens are INT64", where=str(path), next=advice)
        axes = _axes(value)
        if len(axes) != 2 or axes[BATCH] is not None or axes[TOKENS] is not None:
            raise BadInput(
                f"the input {Output(value.name, axes)} has no free batch and token axes",
                where=str(path),
                next="export it again with both axes dynamic; " + advice,
            )
    return tuple(name for name in FEEDS if name in names)


def config_files(path: Path, tokenizer: Path) -> list[Path]:
    """config.json beside the graph, or one folder up (onnx/model.onnx), or beside the tokenizer: the first is read."""
    places = [path.parent, *([path.parent.parent] if path.parent.name == "onnx" else []), tokenizer]
    return [found for place in places for found in held(place, [CONFIG])]


def _task(
    outputs: Sequence[Output], described: dict[str, Any], config: AdoptConfig, path: Path
) -> tuple[str, Output, tuple[str, ...]]:
    """Task, the output that holds its answer, labels."""
    if config.task not in (None, CLASSIFICATION, EMBEDDING):
        raise BadConfig(
            f"an ONNX with a tokenizer is adopted as {CLASSIFICATION} or {EMBEDDING}, not as {config.task}",
            where="--task",
            next="leave out --task, or --tokenizer",
        )
    classes = _named(outputs, CLASS_NAMES, rank=2)
    vectors = _named(outputs, VECTOR_NAMES, rank=2) or _named(outputs, TOKEN_NAMES, rank=3)
    if config.task == CLASSIFICATION or (config.task is None and (classes or config.labels)):
        output = classes or _only(outputs, 2)
        if output is not None:
            return CLASSIFICATION, output, _labels(output, described, config, path)
    elif config.task == EMBEDDING or (config.task is None and vectors):
        output = vectors or _only(outputs, 3) or _only(outputs, 2)
        if output is not None:
            return EMBEDDING, output, ()
    seen = ", ".join(map(str, outputs)) or "no float output"
    raise BadInput(
        f"the graph answers {seen}: what that is cannot be told from it",
        where=str(path),
        next=f"say it: --task {CLASSIFICATION} --labels A,B,... (an output [free, classes]) or --task {EMBEDDING} (an "
        "output [free, width] or [free, free, width]); or leave out --tokenizer for a tensor package",
    )


def _named(outputs: Sequence[Output], names: Sequence[str], rank: int) -> Output | None:
    by_name = {output.name: output for output in outputs if len(output.axes) == rank}
    return next((by_name[name] for name in names if name in by_name), None)


def _only(outputs: Sequence[Output], rank: int) -> Output | None:
    fitting = [output for output in outputs if len(output.axes) == rank]
    return fitting[0] if len(fitting) == 1 else None


def _labels(output: Output, described: dict[str, Any], config: AdoptConfig, path: Path) -> tuple[str, ...]:
    labels = labels_of(described, config.labels, str(path))
    width = output.axes[-1]
    if width is not None and width != len(labels):
        raise BadInput(
            f"the graph has {width} classes ({output}), {len(labels)} are named: {', '.join(labels[:5])}",
            where=str(path),
            next=f"give {width} names in the order of the logits: --labels A,B,...",
        )
    return labels
