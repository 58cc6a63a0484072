"""A task from a folder outside the package: what is loaded, what is refused, what never runs."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import modelyard as my
from modelyard.chain.inspect_source import look
from modelyard.chain.project import Project, load_project
from modelyard.errors import BadConfig, BadInput, Damaged
from modelyard.store.artifacts import Package, write_index
from modelyard.tasks import CODE, carry_code, load_task, task_of
from modelyard.tasks.own import code_digest

EXAMPLE = Path(__file__).parents[3] / "examples" / "tweet_sentiment"


def package(folder: Path) -> Package:
    folder.mkdir()
    write_index(Package, folder, {"format": 1, "name": "tweets", "task": "tweet_sentiment"})
    carry_code(load_task(str(EXAMPLE)), Package, folder)
    return Package.open(folder)


def test_a_folder_is_a_task_with_the_digest_of_its_code() -> None:
    task = load_task(str(EXAMPLE))
    assert (task.name, task.folder) == ("tweet_sentiment", EXAMPLE)
    assert task.code == code_digest(EXAMPLE)
    assert "label" in task.kinds


def test_a_package_with_code_opens_only_when_its_digest_is_allowed(tmp_path: Path) -> None:
    carried = package(tmp_path / "package")
    digest = code_digest(EXAMPLE)
    with pytest.raises(BadInput, match="not allowed to run") as error:
        task_of(carried, {"0" * 64})
    assert error.value.next is not None and f"--allow-code {digest}" in error.value.next
    assert task_of(carried, {digest}).name == "tweet_sentiment"


def test_code_that_was_changed_after_it_was_packed_never_runs(tmp_path: Path) -> None:
    carried = package(tmp_path / "package")
    ran = tmp_path / "ran"
    (carried.path / CODE / "__init__.py").write_text(f"open({str(ran)!r}, 'w')")
    with pytest.raises(Damaged, match=r"not what its package\.json says"):
        task_of(carried, {code_digest(EXAMPLE)})
    assert not ran.exists()


def test_bytecode_beside_the_code_is_neither_read_nor_written(tmp_path: Path) -> None:
    carried = package(tmp_path / "package")
    (carried.path / CODE / "training.py").write_text("VALUE = 'from source'\n")
    (carried.path / CODE / "__init__.py").write_text(
        f"from . import training\nfrom modelyard.tasks.text_classification import TASK\n# {tmp_path}\n"
    )
    caches = carried.path / CODE / "__pycache__"
    caches.mkdir()
    planted = caches / "training.cpython-311.pyc"
    planted.write_bytes(b"planted")
    own = load_task(str(carried.path / CODE))
    assert [path.name for path in caches.iterdir()] == [planted.name]
    assert planted.read_bytes() == b"planted"
    assert own.code is not None
    assert load_task("text_classification").code is None


def test_an_artifact_cannot_name_a_folder_as_its_task(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    write_index(Package, folder, {"format": 1, "name": "x", "task": str(EXAMPLE)})
    with pytest.raises(BadInput, match="which this Modelyard does not have"):
        task_of(Package.open(folder))


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "exports no TASK"), ("1 / 0", "cannot be imported: ZeroDivisionError"), ("TASK = 3", "exports no TASK")],
)
def test_a_folder_that_is_no_task_says_what_it_lacks(tmp_path: Path, content: str, message: str) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "__init__.py").write_text(content + f"\n# {tmp_path}\n")
    with pytest.raises(BadConfig, match=message):
        load_task(str(folder))


def test_a_folder_without_an_entry_and_a_wrong_name_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"it has no __init__\.py"):
        load_task(str(tmp_path))
    with pytest.raises(BadConfig, match="there is no task 'text_clasification'"):
        load_task("text_clasification")


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "data.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(BadInput, match="leads out"):
        code_digest(folder)


def own_task(folder: Path, target: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(
        "from modelyard.tasks.text_classification import TextClassification\n"
        f"class Mine(TextClassification):\n    name = 'mine'\n    target = {target!r}\n"
        f"TASK = Mine()\n# {folder}\n"
    )
    return folder


def test_a_task_in_the_file_is_seen_from_the_file_and_one_on_the_command_line_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = own_task(tmp_path / "there" / "task", "label"), own_task(tmp_path / "here" / "task", "label")
    (tmp_path / "there" / "modelyard.yaml").write_text("task: ./task\n")
    monkeypatch.chdir(tmp_path / "here")
    project = load_project(tmp_path / "there")
    assert (project.task, project.train.task, project.ingest.task) == (str(there),) * 3
    assert project.allowed_code() == {code_digest(there)}
    assert load_project(tmp_path / "there", settings={"task": "./task"}).task == str(here)


def told(folder: Path, body: str) -> Project:
    """A project of 40 rows with a task whose class has that body."""
    (folder / "task").mkdir()
    (folder / "task" / "__init__.py").write_text(
        "from modelyard.tasks.text_classification import TextClassification\n"
        f"class Mine(TextClassification):\n    name = 'mine'\n{body}\nTASK = Mine()\n# {folder}\n"
    )
    rows = "".join(f"a text {n},b {n},{n % 5}\n" for n in range(40))
    (folder / "rows.csv").write_text(f"text,other,stars\n{rows}")
    (folder / "modelyard.yaml").write_text("data: rows.csv\ntask: ./task\n")
    return load_project(folder)


def test_a_target_of_ones_own_name_and_kind_is_looked_at(tmp_path: Path) -> None:
    seen = look(told(tmp_path, "    target, target_field = 'stars', 'number'"))
    assert (seen.columns, seen.classes) == ({"text": "text", "stars": "stars"}, {})
    assert seen.lines()[0] == "UTF-8, comma, 40 rows: text (text), stars (number)"
    assert seen.as_json()["stars"] == {"column": "stars", "how": "named"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    target = 'stars'\n    metric = None", "has no metric"),
        ("    target = 'stars'\n    trainable = False", "is not trained here"),
        (
            "    target = 'stars'\n    def items(self, rows):\n        return [row for row in rows for _ in range(2)]",
            "stands for 2 requests",
        ),
    ],
)
def test_a_task_that_the_chain_cannot_carry_is_refused_before_anything_runs(
    tmp_path: Path, body: str, message: str
) -> None:
    with pytest.raises(BadConfig, match=message) as error:
        look(told(tmp_path, body))
    assert error.value.where == "modelyard.yaml, line 2, key task"


def test_a_task_that_is_only_taken_over_is_refused_with_the_way_in(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("text_a,text_b,score\na,b,1\n")
    (tmp_path / "modelyard.yaml").write_text("data: pairs.csv\ntask: text_embedding\n")
    with pytest.raises(BadConfig, match="text_embedding is not trained here") as error:
        look(load_project(tmp_path))
    assert error.value.next is not None and "modelyard release MODEL --data DATA" in error.value.next


def test_columns_of_another_kind_go_through_ingest_and_clean_on_plain_paths(tmp_path: Path) -> None:
    task = tmp_path / "task"
    task.mkdir()
    (task / "__init__.py").write_text(
        "from modelyard.tasks.text_classification import TextClassification\n"
        "class Near(TextClassification):\n"
        "    name, inputs = 'near', {'text_a': 'text', 'text_b': 'text'}\n"
        "    target, target_field = 'near', 'number'\n"
        f"TASK = Near()\n# {task}\n"
    )
    (tmp_path / "pairs.csv").write_text("text_a,text_b,near\na,b,1.5\na ,b,1.5\nc,d,2\nc,e,high\n")
    loose = {"max_set_aside": 0.5, "task": str(task)}
    read = my.ingest(tmp_path / "pairs.csv", out=tmp_path / "read", **loose)
    assert read.evidence.info["details"]["set_aside"][0]["reason"] == "near: 'high' is not a number"
    cleaned = my.clean(tmp_path / "read", out=tmp_path / "cleaned", max_dropped=1.0)
    assert cleaned.evidence.info["details"]["dropped"] == {"exact duplicate": 1}
    table = pq.read_table(tmp_path / "cleaned" / "data")
    assert table["near"].type == pa.float64()
    assert table.select(["text_a", "text_b", "near"]).to_pylist() == [
        {"text_a": "a", "text_b": "b", "near": 1.5},
        {"text_a": "c", "text_b": "d", "near": 2.0},
    ]
