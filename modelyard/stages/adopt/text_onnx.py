"""A text ONNX with its tokenizer to a Package: the graph as it is, its own answers as the golden set."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.errors import BadInput, ModelyardError
from modelyard.run import Run
from modelyard.runtimes.golden_writing import spread, write_golden
from modelyard.stages.adopt.config import AdoptConfig
from modelyard.stages.adopt.foreign_files import MAX_JSON, held, read_json, read_object
from modelyard.stages.adopt.hugging_face import EMBEDDING, MOST_TOKENS, SENTENCE_FILES, most_tokens
from modelyard.stages.adopt.own_variant import copy_variant, tried
from modelyard.stages.adopt.sentences import SENTENCES
from modelyard.stages.adopt.text_graph import CONFIG, TextGraph
from modelyard.store import Dataset, Package
from modelyard.store.artifacts import write_index
from modelyard.tasks import Pipeline, Task, load_task
from modelyard.tasks.columns import public_columns
from modelyard.tasks.pipeline import Graph, Prepared
from modelyard.tasks.text.directory import pad_id
from modelyard.tasks.text_embedding.pooling import read_pooling

TOKENIZER = "tokenizer.json"
ROWS = 1000  # of the data that the golden set is chosen from
BATCHES = (2, 5)  # of short beside long
EXACT = 1e-3  # another CPU sums float32 in another order
# Eight-bit kernels round differently with and without dot product instructions: a share of the largest value.
ROUNDED, ROUNDED_AGREEMENT = 0.1, 0.95
SHOWN = 300  # characters of a runtime's error
DYNAMIC = "export it again with free batch and token axes"


def text_package(path: Path, graph: TextGraph, config: AdoptConfig, run: Run, dataset: Dataset | None) -> Package:
    """Raises BadInput for a graph that does not run on texts of several lengths, alone and in batches."""
    task = load_task(graph.task)
    items = _rows(dataset, task) if dataset is not None else [{"text": text} for text in SENTENCES]
    with run.store.new_directory() as folder:
        run.listener.progress("adopt", 0, 3, "graph")
        variant = copy_variant(path, folder, eight_bits=graph.quantised, most=config.max_bytes)
        _copy_tokenizer(graph.tokenizer, folder)
        index = _index(graph, task, config, variant, run)
        write_index(Package, folder, index)  # the pipeline reads its labels there
        with tried(folder, variant, path, threads=run.threads, limit_s=config.limit_s) as model:
            graphs = {"model": model}
            pipeline = task.open_pipeline(folder, index["pipeline"])
            prepared = pipeline.prepare_batch(items)
            run.listener.progress("adopt", 1, 3, "batches")
            _hold_batches(pipeline, graphs, prepared, path, run)
            run.check_cancelled()
            run.listener.progress("adopt", 2, 3, "golden set")
            chosen = spread([item.size for item in prepared], config.golden)
            golden = write_golden(
                folder, pipeline, graphs, [items[row] for row in chosen], [prepared[row] for row in chosen]
            )
            variant["tolerance"] = _tolerance(pipeline, graphs, [prepared[row] for row in chosen], graph, config)
        write_index(Package, folder, {**index, "golden": {**golden, "agreement": task.agreement}})
        _record(run, graph, index, len(chosen), dataset is None)
        run.listener.progress("adopt", 3, 3)
        return run.store.add(Package, folder, {"stage": "adopt", "source": path.name})


def _rows(dataset: Dataset, task: Task) -> list[Mapping[str, Any]]:
    """The requests that the first ROWS rows stand for."""
    columns = {name: public for name, public in public_columns(dataset, task).items() if public in task.columns}
    rows: list[Mapping[str, Any]] = []
    for view in dataset.views():
        table = view.read(list(columns)).rename_columns(list(columns.values()))
        rows += table.slice(0, ROWS - len(rows)).to_pylist()
        if len(rows) == ROWS:
            break
    return task.items(rows)


def _copy_tokenizer(tokenizer: Path, folder: Path) -> None:
    (source,) = held(tokenizer, [TOKENIZER])
    read_object(source, MAX_JSON)
    target = folder / "pipeline" / TOKENIZER
    target.parent.mkdir(parents=True)
    shutil.copyfile(source, target)


def _index(graph: TextGraph, task: Task, config: AdoptConfig, variant: dict[str, Any], run: Run) -> dict[str, Any]:
    """The content of package.json without its golden set (docs/package.md)."""
    tokenizer = graph.tokenizer
    for path in held(tokenizer, [CONFIG, *SENTENCE_FILES]):
        read_json(path)  # each is small, or refused
    pipeline: dict[str, Any] = {
        "tokenizer": f"pipeline/{TOKENIZER}",
        "max_length": _max_length(tokenizer, config.max_length),
        "feeds": list(graph.feeds),
        "pad_id": _pad_id(tokenizer),
        "output": graph.output.name,
    }
    if graph.task == EMBEDDING:
        pooling = read_pooling(tokenizer)
        if pooling.assumed and not graph.pooled:
            run.warn("nothing says how tokens become one vector: their mean is taken, brought to length 1")
        pipeline |= {"pooling": "none" if graph.pooled else pooling.mode, "normalize": pooling.normalize}
    tensor = graph.tensor()
    return {
        "format": 1,
        "name": config.name,
        "task": task.name,
        "labels": list(graph.labels),
        "reference": variant["name"],
        "variants": [variant],
        "pipeline": pipeline,
        "signature": task.signature(graph.labels, tensor).as_json(),
        "tensor": tensor,
        "limits": {"max_batch": config.max_batch, "max_item_bytes": config.max_item_bytes},
        "bars": {"p99_ms": config.p99_ms},
    }


def _max_length(tokenizer: Path, asked: int | None) -> int:
    """Tokens: as asked, else as many as the tokenizer's folder says that the model reads, at most MOST_TOKENS."""
    if asked is not None:
        return asked
    return most_tokens(tokenizer) if (tokenizer / CONFIG).is_file() else MOST_TOKENS


def _pad_id(tokenizer: Path) -> int:
    """What fills a batch: as config.json says, else the tokenizer's padding, else its [PAD] or <pad>, else 0."""
    from tokenizers import Tokenizer

    if (tokenizer / CONFIG).is_file():
        return pad_id(tokenizer)
    path = tokenizer / TOKENIZER
    padding = read_object(path, MAX_JSON).get("padding")
    if isinstance(padding, Mapping) and isinstance(padding.get("pad_id"), int):
        return int(padding["pad_id"])
    opened = Tokenizer.from_file(str(path))
    return next((found for name in ("[PAD]", "<pad>") if (found := opened.token_to_id(name)) is not None), 0)


def _hold_batches(
    pipeline: Pipeline, graphs: Mapping[str, Graph], prepared: Sequence[Prepared], path: Path, run: Run
) -> None:
    """Raises BadInput where the graph does not run on short and long texts, alone and together, or answers what is not
    finite, of another number of rows, or of another width than its labels."""
    ordered = sorted(prepared, key=lambda item: item.size)
    cases = [
        ordered[:1],
        ordered[-1:],
        *([ordered[0], *ordered[1 - size :]] for size in BATCHES if len(ordered) >= size),
    ]
    for items in cases:
        what = f"batch {len(items)} of up to {max(item.size for item in items)} tokens"
        try:
            outputs = pipeline.run(graphs, pipeline.collate(items))
            pipeline.decode(outputs)
        except ModelyardError as error:
            raise _not_run(what, error.message, path) from error
        except Exception as error:  # every runtime has classes of its own
            raise _not_run(what, " ".join(str(error).split())[:SHOWN] or type(error).__name__, path) from None
        for name, values in outputs.items():
            if len(values) != len(items) or not np.isfinite(values).all():
                found = "values that are not finite" if len(values) == len(items) else f"{len(values)} answers"
                raise BadInput(f"{what}: {name} has {found}", where=str(path), next=DYNAMIC)


def _not_run(what: str, words: str, path: Path) -> BadInput:
    return BadInput(f"the graph does not run on {what}: {words}", where=str(path), next=DYNAMIC)


def _tolerance(
    pipeline: Pipeline,
    graphs: Mapping[str, Graph],
    prepared: Sequence[Prepared],
    graph: TextGraph,
    config: AdoptConfig,
) -> dict[str, float]:
    """How far another machine may lie from the answers that were given here."""
    if not graph.quantised:
        return {"max_abs": config.tolerance or EXACT, "agreement": 1.0}
    largest = max(
        float(np.abs(values).max())
        for item in prepared
        for values in pipeline.run(graphs, pipeline.collate([item])).values()
    )
    return {"max_abs": config.tolerance or float(f"{ROUNDED * largest:.1g}"), "agreement": ROUNDED_AGREEMENT}


def _record(run: Run, graph: TextGraph, index: dict[str, Any], golden: int, own: bool) -> None:
    where = "sentences of our own" if own else "rows of the data"
    run.record("golden_inputs", golden, how=f"{where}, spread over their lengths", unit="rows")
    run.details.update(
        output=str(graph.output), opset=graph.opset, quantised=graph.quantised, pipeline=index["pipeline"]
    )
