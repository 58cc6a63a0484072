"""`modelyard adopt`: a model that was made elsewhere becomes a Model or a Package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from modelyard.cli.output import common_options, verb

LABELS_HELP = "Class names in the order of the logits, parted by commas."


def foreign_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a foreign model may be told: --task, --tokenizer, --labels, --name."""
    command = click.option("--name", default=None, help="What it is served as. [default: from its path]")(command)
    command = click.option("--labels", default=None, metavar="A,B,...", help=LABELS_HELP)(command)
    command = click.option(
        "--tokenizer", default=None, metavar="DIR", type=click.Path(path_type=Path), help="Of an .onnx that reads text."
    )(command)
    return click.option("--task", default=None, metavar="TASK", help="[default: what its files say]")(command)


def told(settings: tuple[str, ...], name: str | None, **options: Any) -> dict[str, Any]:
    """--set and the options of `foreign_options` as settings; `golden=8` and `adopt.golden=8` are the same."""
    from modelyard.chain.existing import Settings
    from modelyard.config import merge, parse_setting

    chosen: dict[str, Any] = {}
    for setting in settings:
        parsed = parse_setting(setting)
        (key,) = parsed
        chosen = merge(chosen, parsed if key in Settings.model_fields else {"adopt": parsed})
    given = {key: value for key, value in options.items() if value is not None}
    if isinstance(labels := given.get("labels"), str):
        given["labels"] = [label.strip() for label in labels.split(",")]
    return merge(chosen, {"adopt": given} | ({"name": name} if name is not None else {}))


@click.command("adopt")
@click.argument("source", metavar="DIR|HUB-ID|MODEL.ONNX")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder for the Model or Package.")
@foreign_options
@click.option("--data", default=None, type=click.Path(path_type=Path), help="Rows, or an .npz, for the golden set.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of adopt, as golden=8.")
@click.option("--threads", type=click.IntRange(1, 256), default=None, help="Compute threads. [default: the cores]")
@common_options
@verb
def command(
    source: str,
    out: Path,
    task: str | None,
    tokenizer: Path | None,
    labels: str | None,
    name: str | None,
    data: Path | None,
    settings: tuple[str, ...],
    threads: int | None,
    as_json: bool,
) -> None:
    """Take over a model that was made elsewhere.

    A Hugging Face directory (safetensors) or hub id becomes a Model, an .onnx file a Package: with --tokenizer one that
    takes text, without one that takes the graph's own inputs. No pickle is opened, and no code of the model's runs.
    """
    from modelyard.chain.alone import run_adopt
    from modelyard.chain.existing import find_existing
    from modelyard.chain.headlines import headline
    from modelyard.cli.output import envelope, print_json
    from modelyard.cli.stopping import Stopped, stoppable
    from modelyard.cli.terminal import progress
    from modelyard.environment import usable_cores
    from modelyard.store import Package

    try:
        with progress() as listener, stoppable():
            chosen = told(settings, name, task=task, tokenizer=tokenizer, labels=labels, data=data)
            existing = find_existing(source, chosen)
            alone = run_adopt(existing, out, listener, threads or usable_cores())
    except KeyboardInterrupt as error:
        raise Stopped(f"stopped; {out} was not written", "run the same command again") from error
    info = alone.evidence.info
    if as_json:
        print_json(
            envelope(
                "done",
                "adopt",
                digest=alone.made.digest,
                out=str(alone.out),
                report=str(alone.report),
                figures=info["figures"],
                gates=info["gates"],
                kind=info["details"]["kind"],
                task=info["details"]["task"],
                labels=info["details"]["labels"],
            )
        )
        return
    click.echo(f"adopt: {headline('adopt', alone.evidence)}")
    click.echo(f"  {alone.out}   evidence: {alone.report}")
    if info["details"]["task"] != "tensor":  # has nothing to be right about
        click.echo(f"release it:  modelyard release {out} --data ROWS.csv")
    if isinstance(alone.made, Package):
        click.echo(f"serve it:    modelyard serve {out}")
