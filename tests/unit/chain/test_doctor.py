"""The doctor says what is missing with the command that mends it, and changes nothing."""

from __future__ import annotations

import json
import socket
import sqlite3
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from click.testing import CliRunner

from modelyard.chain.doctor import Check, examine, packages
from modelyard.chain.doctor import machine as machines
from modelyard.chain.doctor.examine import workspace
from modelyard.chain.workspace import Workspace
from modelyard.cli import group
from modelyard.ledger.schema import HEAD


def test_everything_is_there_in_this_environment_and_nothing_is_made(tmp_path: Path) -> None:
    checks = examine(tmp_path / "none" / "w")
    assert [check.name for check in checks if check.state == "missing"] == []
    names = {check.name for check in checks}
    assert {"python", "packages: core", "packages: serve", "packages: train", "processor", "memory", "disk"} <= names
    assert {"workspace", "port 8000", "port 8001", "hub", "cache"} <= names
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_is_missing_or_old_comes_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def some(name: str) -> str:
        if name == "onnxscript":
            raise PackageNotFoundError(name)
        return "2.1.0" if name == "torch" else version(name)

    monkeypatch.setattr("modelyard.chain.doctor.packages.version", some)
    result = CliRunner().invoke(group, ["doctor", "--workspace", str(tmp_path / "w"), "--json"])
    assert result.exit_code == 3
    (missing,) = [check for check in json.loads(result.stdout)["checks"] if check["state"] == "missing"]
    assert missing["name"] == "packages: train"
    assert "onnxscript" in missing["said"]
    assert "torch 2.1.0 (older than 2.9)" in missing["said"]
    assert missing["next"].endswith("-m pip install 'onnxscript>=0.5' 'torch>=2.9'")
    # A machine that only serves needs neither.
    assert CliRunner().invoke(group, ["doctor", "--for", "serve", "--workspace", str(tmp_path / "w")]).exit_code == 0


def test_without_pillow_all_but_pictures_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def some(name: str) -> str:
        if name == "pillow":
            raise PackageNotFoundError(name)
        return version(name)

    asked = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    vision = [f"{each}; extra == 'vision'" for each in asked["optional-dependencies"]["vision"]]
    monkeypatch.setattr("modelyard.chain.doctor.packages.requires", lambda name: vision)
    monkeypatch.setattr("modelyard.chain.doctor.packages.version", some)
    for purpose in ("run", "serve"):
        (check,) = [each for each in examine(tmp_path / "w", purpose) if each.name == "packages: vision"]
        assert check.state == "warn"
        assert "pillow" in check.said
        assert (check.next or "").endswith("-m pip install 'pillow>=11'")


def test_what_breaks_torch_is_to_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "modelyard.chain.doctor.packages.find_spec", lambda name: object() if "vision" in name else None
    )
    (conflict,) = [c for c in packages.packages(("core", "serve", "train")) if c.name == "packages: conflicts"]
    assert conflict.state == "missing"
    assert (conflict.next or "").endswith("uninstall -y torchvision")


def test_the_workspace_tells_who_works_in_it_and_which_ledger_it_has(tmp_path: Path) -> None:
    assert "none at" in workspace(tmp_path / "w").said
    opened = Workspace(tmp_path / "w")
    assert workspace(opened.root) == Check("workspace", "ok", f"{opened.root}, ledger {HEAD}, free")
    with opened.locked():
        busy = workspace(opened.root)
    assert busy.state == "warn"
    assert "process" in busy.said
    opened.close()
    database = sqlite3.connect(opened.root / "ledger.db")
    with database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    newer = workspace(opened.root)
    assert (newer.state, newer.next) == ("missing", "upgrade modelyard")


def test_a_taken_port_is_told_with_the_option_that_takes_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        (check,) = machines.ports((number,))
    assert (check.state, check.next) == ("warn", "modelyard serve ... --http 0")


def test_offline_mode_names_a_base_that_needs_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    check = machines.hub()
    assert check.state == "warn"
    assert "minilm" in (check.next or "")


@pytest.mark.parametrize(
    ("flags", "state", "words"),
    [(["avx2", "avx512_vnni"], "ok", "exact and fast"), (["avx2"], "ok", "seven bits"), ([], "warn", "no AVX2")],
)
def test_the_processor_says_what_int8_will_do(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], state: str, words: str
) -> None:
    monkeypatch.setattr(machines, "environment", lambda: {"cpu_flags": flags, "cores": 2, "cpu": "some CPU"})
    check = machines.processor()
    assert check.state == state
    assert words in check.said
