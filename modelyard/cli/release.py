"""`modelyard release`: gates, a faster package and the report for a model that exists."""

from __future__ import annotations

from pathlib import Path

import click

from modelyard.cli.adopt import foreign_options, told
from modelyard.cli.output import common_options, verb


@click.command("release")
@click.argument("model", required=False, metavar="MODEL")
@click.option("--data", default=None, type=click.Path(path_type=Path), help="Rows with what is right: CSV, JSONL, ...")
@click.option("--out", default=None, type=click.Path(path_type=Path), help="A new folder. [default: NAME-release]")
@foreign_options
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="As release.gates.accuracy=0.8.")
@click.option("--threads", type=click.IntRange(1, 256), default=None, help="Compute threads. [default: the cores]")
@common_options
@verb
def command(
    model: str | None,
    data: Path | None,
    out: Path | None,
    task: str | None,
    tokenizer: Path | None,
    labels: str | None,
    name: str | None,
    settings: tuple[str, ...],
    threads: int | None,
    as_json: bool,
) -> int:
    """Gates, a faster package and the report for a model that exists: no YAML, no project.

    MODEL is a Hugging Face directory or hub id, an .onnx file (with --tokenizer), or a Model or Package of Modelyard's.
    A column `split` of the rows says which are for choosing a variant (validation) and which for judging it (test);
    without one a hash parts them. Stopped or killed, the same command goes on where it was.
    """
    from modelyard.chain.existing import find_existing
    from modelyard.chain.release_existing import release_existing
    from modelyard.cli.chain_output import chain_json, told_by_line
    from modelyard.cli.output import print_error, print_json
    from modelyard.environment import usable_cores
    from modelyard.errors import BadInput

    if model is None:
        raise _no_model()
    if data is None:
        raise BadInput(
            "no rows were given to judge the model by",
            where="--data",
            next=f"modelyard release {model} --data test.csv   (for a classifier: columns text and label)",
        )
    existing = find_existing(model, told(settings, name, task=task, tokenizer=tokenizer, labels=labels), data)
    place = out or Path(f"{existing.project.name}-release")
    with told_by_line(place) as (listener, hears, cancelled):
        released = release_existing(
            existing, place, listener, threads=threads or usable_cores(), told=hears, cancelled=cancelled
        )
    chain = released.chain
    if chain.error is not None:
        print_error(chain.error)
    if as_json:
        package = None if released.package is None else str(released.package)
        print_json({**chain_json(chain, place.absolute(), released.report), "package": package})
    else:
        if released.report is not None:
            click.echo(f"report:    {released.report}")
        if released.package is not None:
            click.echo(f"serve it:  modelyard serve {place / 'package'}")
    return chain.error.exit_code if chain.error is not None else 0


def _no_model() -> Exception:
    """Inside a project the chain releases what it trained."""
    from modelyard.chain.project import FILE
    from modelyard.errors import BadInput

    if Path(FILE).is_file():
        return BadInput(
            "release without a MODEL is the last stage of this project's chain",
            where=FILE,
            next="modelyard run --from release; for a model from elsewhere: modelyard release MODEL --data test.csv",
        )
    return BadInput("no model was given", next="modelyard release MODEL --data test.csv")
