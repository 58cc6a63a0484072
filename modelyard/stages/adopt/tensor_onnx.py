"""An .onnx file of no known task to a Package: its own inputs and outputs, its own answers as the golden set."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.runtimes.golden import Golden, replay
from modelyard.runtimes.graph_failure import GraphFailure
from modelyard.runtimes.tensor_golden import write_tensors
from modelyard.stages.adopt.batch_axis import BatchAxis, find_batch_axis
from modelyard.stages.adopt.config import AdoptConfig
from modelyard.stages.adopt.given_inputs import read_npz, requests, with_ranks
from modelyard.stages.adopt.graph_tensors import GraphTensor, Shapes, graph_inputs, graph_outputs, observed
from modelyard.stages.adopt.onnx_checks import check, node_name, nodes
from modelyard.stages.adopt.own_variant import FLOAT, INT8, copy_variant, opset, quantised, tried
from modelyard.stages.adopt.random_inputs import Draw, failure_of, find_draw, guessed_numbers, larger
from modelyard.store import Package
from modelyard.store.artifacts import write_index
from modelyard.tasks import load_task
from modelyard.tasks.pipeline import Graph, Tensors
from modelyard.tasks.tensor.pipeline import fits

if TYPE_CHECKING:
    import onnx

INPUTS, OUTPUTS = "golden/inputs.safetensors", "golden/outputs.safetensors"
RANDOM_REQUESTS = 16  # of a golden set that nobody gave inputs for: more of them prove no more
MOST_GOLDEN_BYTES, MOST_GOLDEN_S = 32 << 20, 10.0
# Another CPU sums floats in another order, and rounds eight bits differently: shares of an output's largest value.
TOLERANCES = {FLOAT: 1e-3, INT8: 0.1}
RANDOM = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}
SAY_DATA = "give some that it takes: --data inputs.npz, made with numpy.savez('inputs.npz', **{input: array, ...})"


@dataclass(frozen=True)
class Examples:
    """Inputs that the graph runs on. of_rows: some with so many rows; golden: those of the golden set, once it is known
    whether the graph has a batch axis; several: whether it has run on more than one row; how: where they come from."""

    of_rows: Callable[[int], Tensors]
    golden: Callable[[bool], Iterator[Tensors]]
    several: bool
    how: str


def tensor_package(path: Path, config: AdoptConfig, run: Run) -> Package:
    """Raises BadInput for what cannot be served as it is: what is wrong, and at which tensor or node."""
    proto = check(path)
    inputs, outputs = graph_inputs(proto, path), graph_outputs(proto, path)
    with run.store.new_directory() as folder:
        run.listener.progress("adopt", 0, 3, "graph")
        variant = copy_variant(path, folder, eight_bits=quantised(proto), most=config.max_bytes)
        with tried(folder, variant, path, threads=1, limit_s=config.limit_s) as graph:
            run.check_cancelled()
            run.listener.progress("adopt", 1, 3, "inputs")
            if config.data is not None:
                inputs, examples = _given(graph, inputs, config.data, config.golden)
            else:
                examples = _drawn(graph, proto, inputs, path, config.golden, run)
            axis = find_batch_axis(
                graph, proto, inputs, outputs, examples.of_rows, more_rows_ran=examples.several, path=path
            )
            run.check_cancelled()
            run.listener.progress("adopt", 2, 3, "golden set")
            asked, answered = _golden(graph, examples.golden(axis.rows))
            variant["tolerance"] = {"max_abs": config.tolerance or TOLERANCES[variant["name"]], "agreement": 1.0}
            answers = [*axis.answers, *({name: array.shape for name, array in one.items()} for one in answered)]
            signature = _signature(inputs, outputs, answers, run)
            write_tensors(folder / INPUTS, asked)
            write_tensors(folder / OUTPUTS, answered)
            write_index(Package, folder, _index(config, variant, signature, axis, len(asked)))
            _replay(folder, graph, Golden(asked, answered, MOST_GOLDEN_S, "none"), proto, path)
        _record(run, proto, axis, examples, len(asked))
        run.listener.progress("adopt", 3, 3)
        return run.store.add(Package, folder, {"stage": "adopt", "source": path.name})


def _given(graph: Graph, tensors: Sequence[GraphTensor], data: Path, most: int) -> tuple[list[GraphTensor], Examples]:
    """Requests of an .npz file, each of which must run."""
    arrays = read_npz(data)
    inputs = with_ranks(tensors, arrays)
    given = requests(inputs, arrays, data)[:most]
    for place, request in enumerate(given):
        if failure := failure_of(graph, request):
            raise BadInput(
                f"the graph does not run on request {place} of {data.name}: {failure}",
                where=str(data),
                next="give inputs that it takes",
            )
    heights = [{len(array) if array.ndim else -1 for array in request.values()} for request in given]
    if all(tensor.first for tensor in inputs) and any(0 in height for height in heights):
        raise BadInput(f"a request of {data.name} holds no rows", where=str(data), next="give some rows")

    def of_rows(rows: int) -> Tensors:
        return {name: np.take(array, range(rows), axis=0, mode="wrap") for name, array in given[0].items()}

    def golden(has_rows: bool) -> Iterator[Tensors]:
        """Row by row where there are rows, the first request as a whole before them."""
        if not has_rows:
            yield from given
            return
        yield of_rows(min(len(next(iter(given[0].values()))), 5))
        rows = ((request, row) for request in given for row in range(len(next(iter(request.values())))))
        for request, row in itertools.islice(rows, most):
            yield {name: array[row : row + 1] for name, array in request.items()}

    several = any(len(height) == 1 and max(height) > 1 for height in heights)
    count = "1 request" if len(given) == 1 else f"{len(given)} requests"
    return inputs, Examples(of_rows, golden, several, f"{count} of {data.name}")


def _drawn(
    graph: Graph, proto: onnx.ModelProto, inputs: Sequence[GraphTensor], path: Path, most: int, run: Run
) -> Examples:
    """Random inputs, seeded. Raises BadInput where the graph runs on none that were tried."""
    nameless = [tensor.name for tensor in inputs if tensor.axes is None]
    if nameless:
        raise BadInput(
            f"{path.name} does not say how many axes its input {nameless[0]} has",
            where=str(path),
            next=SAY_DATA,
        )
    draw = find_draw(graph, proto, inputs)
    if isinstance(draw, GraphFailure):
        raise BadInput(
            f"{path.name} runs on none of the random inputs that were tried: {draw}", where=str(path), next=SAY_DATA
        )
    if guessed := guessed_numbers(inputs, draw):
        run.warn(
            f"the golden set holds random inputs; what {', '.join(guessed)} may hold is not known: small whole numbers"
            " were drawn (--data inputs.npz gives better ones)"
        )

    def of_rows(rows: int) -> Tensors:
        return replace(draw, rows=rows).inputs(inputs, seed=rows)

    def golden(has_rows: bool) -> Iterator[Tensors]:
        yield draw.inputs(inputs, seed=0)  # known to run; of others the values may not go together
        ways: list[Draw] = [larger(graph, draw, inputs), draw]
        for place in range(1, min(most, RANDOM_REQUESTS)):
            way = ways[place // 2 % 2]
            rows = (1, 2, 1, 5)[place % 4] if has_rows else way.rows
            yield replace(way, rows=rows).inputs(inputs, seed=place)

    several = draw.rows > 1 and all(tensor.first is not None for tensor in inputs)
    return Examples(of_rows, golden, several, "random inputs of its own shapes, seeded")


def _golden(graph: Graph, items: Iterator[Tensors]) -> tuple[list[Tensors], list[Tensors]]:
    """Requests and their answers, as many as are small and fast enough, and two at least.

    The first is known to run; one behind it whose random values do not go together is left out."""
    asked: list[Tensors] = []
    answered: list[Tensors] = []
    size, started = 0, time.monotonic()
    for item in items:
        try:
            answer = graph.run(item)
        except Exception:  # every runtime has classes of its own
            if not asked:
                raise
            continue
        asked.append(item)
        answered.append(answer)
        size += sum(array.nbytes for array in (*asked[-1].values(), *answered[-1].values()))
        if len(asked) >= 2 and (size > MOST_GOLDEN_BYTES or time.monotonic() - started > MOST_GOLDEN_S):
            break
    return asked, answered


def _signature(
    inputs: Sequence[GraphTensor], outputs: Sequence[GraphTensor], answers: Sequence[Shapes], run: Run
) -> dict[str, Any]:
    shapes = observed(outputs, answers)
    for output in outputs:
        if output.shape is not None and shapes[output.name] != output.shape:
            found = next(answer[output.name] for answer in answers if not fits(output.shape, answer[output.name]))
            run.warn(f"the graph says that {output.name} is {list(output.shape)}, it answered {list(found)}")
    described = {
        "inputs": [{"name": t.name, "datatype": t.datatype, "shape": list(t.shape or ())} for t in inputs],
        "outputs": [{"name": t.name, "datatype": t.datatype, "shape": list(shapes[t.name])} for t in outputs],
    }
    return load_task("tensor").signature([], described).as_json()


def _index(
    config: AdoptConfig, variant: dict[str, Any], signature: dict[str, Any], axis: BatchAxis, count: int
) -> dict[str, Any]:
    """The content of package.json (docs/tensor.md)."""
    return {
        "format": 1,
        "name": config.name,
        "task": "tensor",
        "labels": [],
        "reference": variant["name"],
        "variants": [variant],
        "pipeline": {},
        "signature": signature,
        "batch": axis.rows,
        "limits": {},
        "bars": {"p99_ms": config.p99_ms},
        "golden": {"inputs": INPUTS, "outputs": OUTPUTS, "count": count, "agreement": "none"},
    }


def _replay(folder: Path, graph: Graph, golden: Golden, proto: onnx.ModelProto, path: Path) -> None:
    """The same inputs a second time: a graph that draws random numbers can keep no golden set."""
    pipeline = load_task("tensor").open_pipeline(folder, {})
    exactly = {"max_abs": 0.0, "agreement": 1.0}
    again = replay(pipeline, {"model": graph}, golden, exactly, len(golden.inputs))
    if again.passed:
        return
    reason = again.reason
    random = next((node for node in nodes(proto) if node.op_type in RANDOM), None)
    if random is not None:
        reason = f"node {node_name(random)} ({random.op_type}) draws random numbers"
    raise BadInput(
        f"{path.name} does not answer alike twice, as a model exported in training mode does: {reason}",
        where=str(path),
        next="export it in eval mode; or give inputs that it answers alike (a noise scale of 0): --data inputs.npz",
    )


def _record(run: Run, proto: onnx.ModelProto, axis: BatchAxis, examples: Examples, count: int) -> None:
    run.record("golden_inputs", count, how=examples.how, unit="requests")
    run.record("nodes", len(proto.graph.node), how="of the graph, without those inside branches and loops")
    if axis.why:
        run.say(f"requests are not run together: {axis.why}")
    run.details.update(
        batch=axis.rows,
        not_batched=axis.why,
        opset=opset(proto),
    )
