"""`modelyard --help` answers at once because it imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from modelyard.cli import VERBS, group

HEAVY = ("torch", "transformers", "polars", "pyarrow", "numpy", "sqlalchemy", "onnxruntime", "pydantic", "rich")


def test_help_lists_every_verb_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from modelyard.cli import group\n"
        "result = CliRunner().invoke(group, ['--help'])\n"
        "print(result.output)\n"
        f"print('loaded:', sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "loaded: []" in done.stdout
    for verb in VERBS:
        assert f"\n  {verb} " in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = CliRunner().invoke(group, [verb, "--help"])
    assert result.exit_code == 0, result.output
    assert "--json" in result.output or verb == "serve"


def test_an_unknown_verb_is_refused_with_exit_code_2() -> None:
    result = CliRunner().invoke(group, ["trian"])
    assert result.exit_code == 2
    assert "trian" in result.output
