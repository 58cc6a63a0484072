"""PyTorch to ONNX. What does not answer as the model does is not stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard.errors import BadConfig
from modelyard.measure.examples import hold_labels
from modelyard.measure.predictions import all_outputs
from modelyard.measure.reference import Reference
from modelyard.measure.worth import metric_of, shown_metric, worth
from modelyard.run import Run
from modelyard.runtimes.golden_writing import spread, write_golden
from modelyard.runtimes.variants import open_variant
from modelyard.stages.export.config import ExportConfig
from modelyard.stages.export.further import add_further
from modelyard.stages.export.parity import Compared, compare_cases, parity_cases
from modelyard.store import Dataset, Model, Package
from modelyard.store.artifacts import write_index
from modelyard.tasks import Metric, Task, carry_code, task_of
from modelyard.tasks.agreements import AGREEMENTS
from modelyard.tasks.columns import read_side
from modelyard.tasks.metric import AgreementName
from modelyard.tasks.pipeline import Generative, Graph, Pipeline, Prepared, Tensors
from modelyard.tasks.sequences import GENERATOR
from modelyard.tasks.training import GenerativeTraining
from modelyard.training.randomness import reproducible

REQUIRES = {"onnxruntime": "1.20"}
EVALUATION_BATCH = 16


def export(model: Model, dataset: Dataset, config: ExportConfig, run: Run) -> Package:
    """A Package with the variant `float`, its golden set taken from the validation rows, and behind it the variants
    that only the Model can give.

    Raises GateFailed, with nothing stored, when the graph differs from the model in its raw outputs or in what it is
    worth by the task's metric.
    """
    task = task_of(model, run.allowed_code)
    metric = metric_of(task)
    training = task.training(model.framework)
    labels, max_length = model.labels, int(model.info.get("max_length", 0))
    pipeline = _searching(training.pipeline(str(model.path), labels, max_length), task, config)
    table = read_side(dataset, task, "validation", rows=config.parity_rows)
    items = task.items(table.select(list(task.columns)).to_pylist())
    targets = table[task.target].to_pylist()
    hold_labels(task, targets, labels, "validation")
    prepared = pipeline.prepare_batch(items)
    with run.store.new_directory() as folder, reproducible(run.threads):
        run.listener.progress("export", 0, 3, "graph")
        exported = training.export(model.path, folder, max_length)
        run.check_cancelled()
        network = training.load(str(model.path), labels, {"attention": "eager"})
        reference: dict[str, Graph] = {"model": Reference(training, network)}
        if isinstance(training, GenerativeTraining):
            reference[GENERATOR] = training.generator(network, pipeline)
        if isinstance(pipeline, Generative):
            exported["pipeline"]["generation"] = pipeline.generation_spec()
        run.listener.progress("export", 1, 3, "golden set")
        chosen = spread([item.size for item in prepared], config.golden)
        golden = write_golden(
            folder, pipeline, reference, [items[row] for row in chosen], [prepared[row] for row in chosen]
        )
        variant = {
            "name": "float",
            "runtime": "onnxruntime",
            "requires": REQUIRES,
            "graphs": exported["graphs"],
            "tolerance": {"max_abs": config.parity_max_abs, "agreement": _least_agreement(task, config)},
        }
        write_index(Package, folder, _index(task, labels, config, exported, variant, golden))
        carry_code(task, Package, folder)
        run.listener.progress("export", 2, 3, "parity")
        graphs = open_variant(Package.open(folder), variant, run.threads)
        cases = parity_cases(prepared, _truncated(pipeline, task, items, prepared))
        compared = compare_cases(pipeline, reference, graphs, cases, task.agreement)
        _gate_numbers(run, config, compared, _numbers(pipeline, reference, prepared[0], task.agreement), task.unit)
        outputs = [all_outputs(pipeline, side, prepared, EVALUATION_BATCH) for side in (reference, graphs)]
        _gate_chosen(run, config, outputs[0], outputs[1], task.agreement)
        wanted, found = (
            worth(metric, metric.evidence(pipeline.decode(side), targets), f"{len(targets):,} validation rows")
            for side in outputs
        )
        _gate_metric(run, config, metric, wanted, found, len(targets))
        add_further(folder, exported.get("variants", []), pipeline, config.parity_max_abs, run)
        for note in exported.get("notes", []):
            run.warn(note)
        for reason in exported.get("left_out", []):
            run.say(reason)
        _record(run, folder, exported)
        run.listener.progress("export", 3, 3)
        return run.store.add(
            Package,
            folder,
            {
                "stage": "export",
                "model": model.digest,
                "dataset": dataset.digest,
                "config": config.model_dump(mode="json"),
            },
        )


def _index(
    task: Task,
    labels: Sequence[str],
    config: ExportConfig,
    exported: dict[str, Any],
    variant: dict[str, Any],
    golden: dict[str, Any],
) -> dict[str, Any]:
    """The content of package.json (docs/package.md)."""
    return {
        "format": 1,
        "name": config.name,
        "task": task.name,
        "labels": list(labels),
        "variants": [variant],
        "pipeline": exported["pipeline"],
        "signature": task.signature(labels, exported["tensor"]).as_json(),
        "tensor": exported["tensor"],
        "limits": {"max_batch": config.max_batch, "max_item_bytes": config.max_item_bytes},
        "bars": {"p99_ms": config.p99_ms},
        "golden": golden if task.agreement == "argmax" else {**golden, "agreement": task.agreement},
    }


def _searching(pipeline: Pipeline, task: Task, config: ExportConfig) -> Pipeline:
    """The pipeline by the settings of `export.generation`. Raises BadConfig where the task writes no texts."""
    settings = config.generation.model_dump(exclude_none=True)
    if isinstance(pipeline, Generative):
        return pipeline.generating(settings)
    if settings:
        raise BadConfig(
            f"the task {task.name} does not search for its answers",
            where="export.generation",
            next="take the lines out",
        )
    return pipeline


def _least_agreement(task: Task, config: ExportConfig) -> float:
    """Of the float variant with PyTorch: a token may tip over by a rounding error, and the rest of the text with it."""
    return 1.0 - config.parity_accuracy if task.agreement == "sequences" else 1.0


def _numbers(pipeline: Pipeline, reference: Mapping[str, Graph], item: Prepared, agreement: AgreementName) -> str:
    """Names of what is compared number by number."""
    feeds = pipeline.collate([item])
    answered = pipeline.run(reference, feeds)
    if isinstance(pipeline, Generative):
        return ", ".join(pipeline.forced(reference, feeds, answered))
    return ", ".join(AGREEMENTS[agreement].by_number(name for name in answered if name not in feeds))


def _truncated(
    pipeline: Pipeline, task: Task, items: Sequence[Mapping[str, Any]], prepared: Sequence[Prepared]
) -> Prepared:
    """A row that is cut off at max_length; where no row is, the longest row said over until it is. Of what is no text,
    the longest row."""
    for item in prepared:
        if item.truncated:
            return item
    longest = items[max(range(len(prepared)), key=lambda row: prepared[row].size)]
    item = pipeline.prepare(longest)
    for doubling in range(1, 12 if set(task.inputs.values()) == {"text"} else 1):
        item = pipeline.prepare({name: " ".join([str(longest[name])] * 2**doubling) for name in task.inputs})
        if item.truncated:
            break
    return item


def _gate_numbers(run: Run, config: ExportConfig, compared: Sequence[Compared], outputs: str, unit: str) -> None:
    """outputs: names of the raw outputs; unit: what the size of an item counts."""
    worst = max(compared, key=lambda result: result.max_abs)
    run.details["parity_unit"] = unit
    run.details["parity"] = [result.as_json() for result in compared]
    run.record(
        "parity_max_abs",
        worst.max_abs,
        how=f"largest |difference| of the raw outputs ({outputs}), the model in PyTorch float32 against the graph in"
        f" ONNX Runtime, {len(compared)} cases of batch and length",
    )
    run.record(
        "parity_cases", len(compared), how="batch 1, 2, 5 of shortest, median, longest, truncated validation rows"
    )
    case = worst.case
    shape = f"batch {len(case.items)}, {case.length} {unit} ({case.kind})"
    run.gate(
        "parity",
        worst.max_abs,
        at_most=config.parity_max_abs,
        message=(
            f"the exported graph does not answer as the model does at {shape}: "
            + (worst.why or f"outputs differ by {worst.max_abs:.3g}, the bar is {config.parity_max_abs:g}")
        ),
        next="nothing was exported; report the model's architecture, or raise export.parity_max_abs if this is enough",
    )


def _gate_chosen(run: Run, config: ExportConfig, wanted: Tensors, found: Tensors, agreement: AgreementName) -> None:
    """What the graph chooses is held against what the model chooses as a whole: boxes as sets, for their order says
    nothing, and one more or less that nobody believes in neither; texts token by token."""
    kind = AGREEMENTS[agreement]
    if not kind.chosen:
        return
    chosen, as_what = kind.choice
    same = float(kind.same(found, wanted).mean())
    rows = len(next(iter(wanted.values())))
    run.record(
        f"parity_{agreement}",
        same,
        how=f"{rows:,} validation rows, the share whose {chosen} are{as_what} those of the model in PyTorch",
        unit="share",
    )
    run.gate(
        f"parity_{agreement}",
        same,
        at_least=1.0 - config.parity_accuracy,
        message=f"the exported graph gives other {chosen} than the model on {1 - same:.1%} of {rows:,} validation rows",
        next="nothing was exported; raise export.parity_accuracy if this is enough",
    )


def _gate_metric(run: Run, config: ExportConfig, metric: Metric, wanted: float, found: float, rows: int) -> None:
    """Hold what the graph is worth by the task's metric against what the model is."""
    name = metric.name
    difference = abs(found - wanted)
    how = f"{rows:,} validation rows"
    run.details["metric"] = shown_metric(metric)
    run.record(f"graph_{name}", found, how=f"{how}, the exported graph")
    run.record(f"model_{name}", wanted, how=f"{how}, PyTorch float32")
    run.record(
        f"parity_{name}",
        difference,
        how=f"|{name} of the graph - {name} of the model|, {found:.4f} and {wanted:.4f} on {how}",
        unit="share",
    )
    run.gate(
        f"parity_{name}",
        difference,
        at_most=config.parity_accuracy,
        message=f"{name} on {how} is {found:.4f} by the graph and {wanted:.4f} by the model",
        next="nothing was exported; raise export.parity_accuracy if this is enough",
    )


def _record(run: Run, folder: Path, exported: dict[str, Any]) -> None:
    import onnx

    graphs = [(role, graph) for role, graph in exported["graphs"].items() if graph["format"] == "onnx"]
    protos = {role: onnx.load(folder / graph["files"][0], load_external_data=False) for role, graph in graphs}
    run.details["opset"] = max(entry.version for proto in protos.values() for entry in proto.opset_import)
    run.details["nodes"] = sum(len(proto.graph.node) for proto in protos.values())
    run.details["float_bytes"] = sum((folder / name).stat().st_size for _, graph in graphs for name in graph["files"])
