"""What is said of a user's function from its source, and what its code raises. None of this needs Keras to train."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.errors import BadInput
from modelyard.store.digests import digest_tree
from modelyard.tasks.keras.user_function import UserFunction

GOOD = "def build_model(input_shape=(32, 32, 3), classes=10):\n    return None\n"


def read(tmp_path: Path, source: str, name: str = "build_model") -> UserFunction:
    (tmp_path / "model.py").write_text(source)
    return UserFunction.read(tmp_path / "model.py", name)


def test_how_large_pictures_are_is_read_and_nothing_is_run(tmp_path):
    source = 'raise SystemExit("it ran")\n' + GOOD
    assert read(tmp_path, source).input_shape == (32, 32, 3)
    grey = "def build_model(*, classes, input_shape=(28, 28, 1)): ...\n"
    assert read(tmp_path, grey).input_shape == (28, 28, 1)


@pytest.mark.parametrize(
    ("source", "message", "where", "advice"),
    [
        ("def build_mode(input_shape=(8, 8, 3), classes=2): ...", "no function build_model", "train.base",
         "did you mean model.py:build_mode?"),
        ("x = 1", "no function build_model", "train.base", "write one: def build_model("),
        ("\n\ndef build_model(:\n", "model.py is no Python", "model.py, line 3", None),
        ("\ndef build_model(input_shape, classes): ...", "does not say how large", "model.py, line 2", "a default"),
        ("def build_model(input_shape=HOW, classes=2): ...", "does not say how large", "model.py, line 1", "a default"),
        ("def build_model(input_shape=(8, 8, 3)): ...", "takes no classes", "model.py, line 1", "write def"),
        ("def build_model(classes=3): ...", "takes no input_shape", "model.py, line 1", "write def"),
        ("def build_model(input_shape=(8, 16, 3), classes=2): ...", "are squares", "model.py, line 1", "write def"),
        ("def build_model(input_shape=(8, 8, 4), classes=2): ...", "of 1 for grey", "model.py, line 1", "write def"),
        ("def build_model(input_shape=(90000, 90000, 3), classes=2): ...", "2048 pixels at most", "model.py, line 1",
         "write def"),
        ("def build_model(name='net', /, input_shape=None, classes=2): ...", "does not say how large",
         "model.py, line 1", "a default"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_do_is_refused_by_its_line(tmp_path, source, message, where, advice):
    with pytest.raises(BadInput, match=message) as refused:
        read(tmp_path, source)
    assert refused.value.where == where
    assert advice is None or advice in str(refused.value.next)


def test_the_digest_is_of_the_code_and_of_which_function_and_not_of_where_it_lies(tmp_path):
    one = read(tmp_path, GOOD + GOOD.replace("build_model", "other"))
    other = UserFunction.read(tmp_path / "model.py", "other")
    (tmp_path / "moved").mkdir()
    moved = (tmp_path / "model.py").rename(tmp_path / "moved" / "model.py")
    assert UserFunction.read(moved, "build_model").digest == one.digest != other.digest
    moved.write_text(moved.read_text() + "# changed\n")
    assert UserFunction.read(moved, "build_model").digest != one.digest


def test_what_is_written_opens_as_the_same(tmp_path):
    function = read(tmp_path, GOOD)
    (tmp_path / "kept").mkdir()
    function.write(tmp_path / "kept")
    before = digest_tree(tmp_path / "kept")
    assert UserFunction.open(tmp_path / "kept") == function
    assert digest_tree(tmp_path / "kept") == before


def test_what_the_code_raises_is_told_with_its_line(tmp_path):
    function = read(tmp_path, GOOD.replace("return None", "return 1 / (classes - classes)"))
    with pytest.raises(
        BadInput, match=r"build_model\(input_shape=\(8, 8, 3\), classes=2\) fails: ZeroDivisionError"
    ) as at:
        function.build((8, 8, 3), 2)
    assert at.value.where == "model.py, line 2"
    with pytest.raises(BadInput, match=r"model\.py cannot be run: NameError") as at:
        read(tmp_path, "import math\nlayers.Dense\n" + GOOD).build((8, 8, 3), 2)
    assert at.value.where == "model.py, line 2"


def test_a_file_beside_it_is_not_imported(tmp_path, monkeypatch):
    """A change of it would not be seen, and an old model be taken for a new one."""
    (tmp_path / "blocks_of_mine.py").write_text("WIDTH = 3\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    function = read(tmp_path, "from blocks_of_mine import WIDTH\n" + GOOD)
    with pytest.raises(BadInput, match="No module named 'blocks_of_mine'") as refused:
        function.build((8, 8, 3), 2)
    assert "in this one file" in str(refused.value.next)


def test_what_it_prints_goes_to_people_and_its_exit_is_an_error(tmp_path, capsys):
    read(tmp_path, 'print("hello")\n' + GOOD).build((8, 8, 3), 2)
    assert capsys.readouterr() == ("", "hello\n")
    with pytest.raises(BadInput, match=r"model\.py cannot be run: SystemExit: 3"):
        read(tmp_path, "raise SystemExit(3)\n" + GOOD).build((8, 8, 3), 2)
