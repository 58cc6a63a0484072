"""The command line: one file a verb, imported when the verb is called, so that --help answers at once."""

from __future__ import annotations

import importlib

import click

import modelyard

# verb -> (module that holds the click command `command`, one-line help)
VERBS = {
    "demo": ("modelyard.cli.demo", "The whole chain on real data, ending with a served, monitored model."),
    "run": ("modelyard.cli.run", "The chain on your data, a line a stage; goes on where it stopped."),
    "serve": ("modelyard.cli.serve", "Serve packages over REST and gRPC (Open Inference Protocol V2)."),
}


class LazyGroup(click.Group):
    """Lists verbs from VERBS without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_, text) in VERBS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(modelyard.__version__, prog_name="modelyard")
def group() -> None:
    """From raw data to a monitored model in production, and back."""


def main() -> None:
    """The `modelyard` command."""
    group.main(prog_name="modelyard")
