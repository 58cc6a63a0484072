"""The command line: one file a verb, imported when the verb is called, so that --help answers at once."""

from __future__ import annotations

import importlib
import sys

import click

import modelyard

# verb -> (module, click command in it, one-line help)
VERBS = {
    "demo": ("modelyard.cli.demo", "command", "The whole chain on real data, ending with a served, monitored model."),
    "run": ("modelyard.cli.run", "command", "The chain on your data, a line a stage; goes on where it stopped."),
    "status": ("modelyard.cli.status", "command", "The last run of this workspace."),
    "gc": ("modelyard.cli.gc", "command", "Free what no version and no recent run needs."),
    "init": ("modelyard.cli.init", "command", "A short modelyard.yaml from your data, or an example to start from."),
    "doctor": ("modelyard.cli.doctor", "command", "What is missing on this machine, and the command that installs it."),
    "models": ("modelyard.cli.models", "models", "What was released: versions, aliases, gates, accuracy, latency."),
    "promote": ("modelyard.cli.models", "promote", "Point an alias at a version."),
    "rollback": ("modelyard.cli.models", "rollback", "Undo the last promotion."),
    "serve": ("modelyard.cli.serve", "command", "Serve packages over REST and gRPC (Open Inference Protocol V2)."),
    "adopt": ("modelyard.cli.adopt", "command", "Take over a Hugging Face model or an ONNX file."),
    "annotate": (
        "modelyard.cli.annotate",
        "group",
        "Labels by two people and an arbiter: files out, files in, agreement.",
    ),
    "release": ("modelyard.cli.release", "command", "Gates, a faster package and the report for a model you have."),
    "ingest": ("modelyard.cli.stage", "ingest", "One stage: read a file or folder into a Dataset."),
    "clean": ("modelyard.cli.stage", "clean", "One stage: repair and drop rows, each with its reason."),
    "split": ("modelyard.cli.stage", "split", "One stage: train, validation and test without leakage."),
    "augment": ("modelyard.cli.stage", "augment", "One stage: more pictures for the train side, boxes with them."),
    "train": ("modelyard.cli.stage", "train", "One stage: fine-tune a model."),
    "export": ("modelyard.cli.stage", "export", "One stage: to ONNX, refused when the exported model differs."),
    "optimize": ("modelyard.cli.stage", "optimize", "One stage: fuse and quantise, measured as served."),
    "evaluate": ("modelyard.cli.stage", "evaluate", "One stage: accuracy, latency, throughput and cost."),
}


class LazyGroup(click.Group):
    """Lists verbs from VERBS without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, attribute, _ = VERBS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_, _, text) in VERBS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(modelyard.__version__, prog_name="modelyard")
def group() -> None:
    """From raw data to a monitored model in production, and back."""


def main() -> None:
    """The `modelyard` command."""
    if "--json" not in sys.argv:
        group.main(prog_name="modelyard")
        return
    try:
        code = group.main(prog_name="modelyard", standalone_mode=False)
    except click.ClickException as error:
        # A wrong option is told as every other bad input is.
        from modelyard.cli.output import envelope, print_json

        error.show()
        print_json(envelope("failed", error={"kind": "bad_input", "message": error.format_message(), "where": None}))
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)
