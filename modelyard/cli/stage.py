"""The verbs that run one stage on plain paths: ingest, clean, split, augment, train, export, optimize, evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from modelyard.cli.output import common_options, data_fields, verb


def _command(stage: str, takes: str, text: str) -> click.Command:
    @click.command(stage, help=text)
    @click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar=takes)
    @click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder for the output.")
    @click.option("--config", "config_file", type=click.Path(dir_okay=False, path_type=Path), help="A modelyard.yaml.")
    @click.option(
        "--set", "settings", multiple=True, metavar="KEY=VALUE", help=f"A setting of this stage ({stage}.KEY)."
    )
    @click.option("--threads", type=click.IntRange(1, 256), default=None, help="Compute threads. [default: the cores]")
    @common_options
    @verb
    def command(
        inputs: tuple[Path, ...],
        out: Path,
        config_file: Path | None,
        settings: tuple[str, ...],
        threads: int | None,
        as_json: bool,
    ) -> None:
        from modelyard.chain.alone import run_alone
        from modelyard.chain.headlines import headline
        from modelyard.chain.project import load_project
        from modelyard.cli.output import envelope, print_json
        from modelyard.cli.stopping import Stopped, stoppable
        from modelyard.cli.terminal import progress
        from modelyard.config import merge, parse_setting
        from modelyard.environment import usable_cores
        from modelyard.store.work_folder import work_folder_of

        chosen: dict[str, Any] = {}
        for setting in settings:
            chosen = merge(chosen, _of_stage(stage, parse_setting(setting)))
        # A modelyard.yaml that happens to lie here is not read: a verb on plain paths depends on what it is given.
        project = load_project(out.parent, None, chosen, config_file, read_file=config_file is not None)
        try:
            with progress() as listener, stoppable():
                alone = run_alone(stage, list(inputs), out, project, listener, threads or usable_cores())
        except KeyboardInterrupt as error:
            kept = work_folder_of(out.absolute())
            also = f"; what is done lies in {kept}" if kept.exists() else ""
            raise Stopped(f"stopped; {out} was not written{also}", "run the same command again: it goes on") from error
        info = alone.evidence.info
        if as_json:
            print_json(
                envelope(
                    "done",
                    stage,
                    digest=alone.made.digest,
                    out=str(alone.out),
                    report=str(alone.report),
                    figures=info["figures"],
                    gates=info["gates"],
                    **data_fields(info),
                )
            )
        else:
            click.echo(f"{stage}: {headline(stage, alone.evidence)}")
            click.echo(f"  {alone.out}   evidence: {alone.report}")

    return command


def _of_stage(stage: str, setting: dict[str, Any]) -> dict[str, Any]:
    """`epochs=2` and `train.epochs=2` are the same for `train`; `ingest.columns.text=review` may go with any verb."""
    from modelyard.chain.project import Project

    (key,) = setting
    own = Project.model_fields[stage].annotation
    assert own is not None
    return setting if key in Project.model_fields and key not in own.model_fields else {stage: setting}


ingest = _command("ingest", "FILE|DIR", "Read CSV, TSV, JSONL, Parquet, or a folder (Hugging Face, COCO, YOLO).")
clean = _command("clean", "DATA", "Repair and drop rows, each with its reason.")
split = _command("split", "DATA", "Split into train, validation and test without leakage.")
augment = _command("augment", "DATA", "Further pictures for the train side, made of its own (copies=1).")
train = _command("train", "DATA", "Fine-tune a model on a split Dataset.")
export = _command("export", "MODEL DATA", "Export to ONNX; refuse when the exported model differs.")
optimize = _command("optimize", "PACKAGE DATA", "Fuse and quantise; keep what is faster and still right.")
evaluate = _command("evaluate", "PACKAGE DATA [MODEL]", "Measure accuracy, latency, throughput and cost as served.")
