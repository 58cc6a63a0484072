"""The rules of the house: what the repository as a whole must hold."""

from __future__ import annotations

import ast
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from modelyard.cli import VERBS
from tests import stage_versions

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "modelyard"
STATUSES = {"planned", "partial", "works (double)", "works"}
PAGES = ["README.md", "README.zh-CN.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
MAKE_TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def feature_rows() -> list[list[str]]:
    """The table of docs/features.md: row, promise, command, test, status."""
    lines = (ROOT / "docs/features.md").read_text("utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| R\d+ \|", line)]


def quoted(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def names_of_tests(path: Path) -> set[str]:
    """Names of the test functions of a file, those in classes as Class::test."""
    names = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{item.name}" for item in node.body if isinstance(item, ast.FunctionDef)}
    return {name for name in names if name.split("::")[-1].startswith("test_")}


def repository_files() -> list[Path]:
    """Every file that is or will be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("package", ["torchvision", "torchaudio", "torchao"])
def test_what_breaks_this_environment_is_not_installed(package: str) -> None:
    assert find_spec(package) is None, f"{package} does not work beside this torch: see requirements/constraints.in"


def test_every_promise_has_exactly_one_row() -> None:
    assert [row[0] for row in feature_rows()] == [f"R{number}" for number in range(1, 43)]


@pytest.mark.parametrize("row", feature_rows(), ids=lambda row: row[0])
def test_a_row_names_a_status_and_commands_and_tests_that_exist(row: list[str]) -> None:
    assert len(row) == 5, "row | promise | command | test | status (no | inside a cell)"
    _, promise, command, test, status = row
    assert promise
    assert status in STATUSES
    commands, tests = quoted(command), quoted(test)
    if status != "planned":
        assert commands, f"{status}: name the command"
        assert tests, f"{status}: name the test that proves it"
    for text in commands:
        program, verb = text.split()[:2]
        assert program == "modelyard"
        assert verb in VERBS, f"there is no `modelyard {verb}`"
    for text in tests:
        path, _, name = text.partition("::")
        assert (ROOT / path).is_file(), f"there is no {path}"
        assert name in names_of_tests(ROOT / path), f"{path} has no {name}"


@pytest.mark.parametrize("page", PAGES)
def test_the_docs_name_only_commands_that_exist(page: str) -> None:
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", (ROOT / page).read_text("utf-8"), re.DOTALL))
    verbs = set(re.findall(r"(?<![\w./-])modelyard ([a-z]+)", code))
    assert verbs <= VERBS.keys()
    assert set(re.findall(r"\bmake ([a-z-]+)", code)) <= MAKE_TARGETS


def test_the_chinese_page_says_what_the_english_one_says() -> None:
    """The same headings, commands and links in the same order; prose, comments and words in pictures are its own."""

    def bones(page: str) -> tuple[list[str], list[str], list[str]]:
        text = (ROOT / page).read_text("utf-8")
        blocks = re.findall(r"```.*?```", text, re.DOTALL)
        code = [re.sub(r"\s*#.*", "", block) for block in blocks]
        found = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("README")]
        links = [re.sub(r"\.zh(?=\.(?:svg|png)$)", "", link) for link in found]
        return re.findall(r"^(#+) ", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE), code, links

    assert bones("README.zh-CN.md") == bones("README.md")


def test_a_file_of_the_package_holds_one_idea() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in PACKAGE.rglob("*.py")
        if (lines := len(file.read_text("utf-8").splitlines())) > 400
    }
    assert not long, "over 400 lines a file holds two ideas"


def test_a_name_says_the_idea() -> None:
    vague = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?)$")
    assert [str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*") if vague.search(path.stem)] == []


def test_no_file_names_a_machine_or_a_package_index() -> None:
    # Written in pieces, so that this file does not match itself.
    home = (
        r"(?<![\w.~$}/-])/(?:"
        + "|".join(["wor" + "k", "roo" + "t", "op" + "t", "hom" + r"e/(?!someone\b)\w+", "User" + r"s/\w+"])
        + r")/[\w.]"
    )
    index = "|".join(
        [
            "pypi" + r"\.org",
            "python" + r"hosted\.org",
            "download\\.py" + "torch",
            "--(?:extra-)?index" + "-url",
            "--find" + "-links",
        ]
    )
    pattern = re.compile(f"{home}|{index}")
    found = []
    for file in repository_files():
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{file.relative_to(ROOT)}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


def test_a_lock_pins_every_package_by_hash_and_holds_nothing_forbidden() -> None:
    for lock in ("dev", "serve"):
        text = (ROOT / f"requirements/{lock}.txt").read_text("utf-8")
        blocks = re.split(r"\n(?=\S)", text[text.index("\n") + 1 :].strip())
        assert len(blocks) > 30
        for block in blocks:
            assert re.match(r"[a-z0-9-]+==\S+ (;[^\\]+)?\\\n +--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]
        names = {block.split("==")[0] for block in blocks}
        assert not names & {"torch", "torchvision", "torchaudio", "torchao", "modelyard"}
        assert not {name for name in names if name.startswith(("nvidia-", "cuda-"))}


@pytest.mark.parametrize("stage", stage_versions.stage_names())
def test_a_stage_that_changed_moved_its_version_or_its_record(stage: str) -> None:
    now, before = stage_versions.current()[stage], stage_versions.recorded().get(stage)
    assert now == before, (
        f"The code of {stage} changed, and old results would be taken for new ones. If what it makes can differ now, "
        f"raise STAGE_VERSION in modelyard/stages/{stage}. Then record it: make stage-versions"
    )
