from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from modelyard.errors import BadInput, Damaged, EnvironmentProblem
from modelyard.runtimes.choose import choose_variant
from modelyard.runtimes.golden import compare, read_golden, replay
from modelyard.runtimes.package_paths import inside
from modelyard.runtimes.variants import check_requires, open_variant
from modelyard.store.artifacts import Package, write_index
from modelyard.tasks import load_task
from modelyard.tasks.pipeline import Pipeline
from tests.packages import TEXTS, break_variant, tiny_package


def pipeline_of(package: Package) -> Pipeline:
    return load_task(package.task).open_pipeline(package.path, package.info["pipeline"])


def test_a_good_variant_passes_and_says_by_how_much(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p")
    graphs = open_variant(package, package.variants[0])
    result = replay(pipeline_of(package), graphs, read_golden(package), package.variants[0]["tolerance"])
    assert result.passed
    assert (result.checked, result.agreement, result.reason) == (8, 1.0, "")
    assert result.max_abs < 1e-6


def test_all_golden_inputs_are_replayed_when_asked(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p")
    graphs = open_variant(package, package.variants[0])
    golden = read_golden(package)
    assert replay(pipeline_of(package), graphs, golden, {"max_abs": 1, "agreement": 1}, 1000).checked == len(TEXTS)


@pytest.mark.parametrize(("how", "reason"), [("nan", "not finite"), ("swapped", "differs from the reference by")])
def test_a_wrong_graph_does_not_pass(tmp_path: Path, how: str, reason: str) -> None:
    package = tiny_package(tmp_path / "p")
    break_variant(package, "float", how)
    result = replay(
        pipeline_of(package),
        open_variant(package, package.variants[0]),
        read_golden(package),
        {"max_abs": 0.1, "agreement": 1},
    )
    assert not result.passed
    assert reason in result.reason
    assert math.isinf(result.max_abs) == (how == "nan")


def test_nan_passes_no_tolerance_however_wide(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p")
    break_variant(package, "float", "nan")
    graphs = open_variant(package, package.variants[0])
    wide = {"max_abs": math.inf, "agreement": 0.0}
    assert not replay(pipeline_of(package), graphs, read_golden(package), wide).passed
    narrow = {"max_abs": math.nan, "agreement": 1.0}
    good = tiny_package(tmp_path / "q")
    assert not replay(pipeline_of(good), open_variant(good, good.variants[0]), read_golden(good), narrow).passed


def test_classes_may_differ_for_as_many_inputs_as_the_agreement_leaves(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p")
    break_variant(package, "float", "swapped")
    graphs, golden = open_variant(package, package.variants[0]), read_golden(package)
    run = pipeline_of(package)
    assert not replay(run, graphs, golden, {"max_abs": 100, "agreement": 0.2}).passed
    assert replay(run, graphs, golden, {"max_abs": 100, "agreement": 0.0}).passed


def test_a_replay_keeps_to_its_time(tmp_path: Path) -> None:
    package = tiny_package(
        tmp_path / "p",
        golden={"inputs": "golden/inputs.jsonl", "outputs": "golden/outputs.safetensors", "count": 10, "limit_s": 0.0},
    )
    graphs = open_variant(package, package.variants[0])
    result = replay(pipeline_of(package), graphs, read_golden(package), {"max_abs": 1, "agreement": 1})
    assert (result.checked, result.passed) == (1, True)


def test_differences_are_measured_by_hand() -> None:
    gap, same, why = compare({"a": np.float32([[1, 2]])}, {"a": np.float32([[1.5, 1.25]])})
    assert (gap, same, why) == (0.75, False, "")
    assert compare({"a": np.zeros((1, 3))}, {"a": np.zeros((1, 2))})[0] == math.inf
    assert compare({}, {"a": np.zeros((1, 2))})[2] == "the graph has no output a"


def test_the_first_variant_that_passes_is_chosen_and_the_others_are_named(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p", variants=("int8", "fused", "float"))
    break_variant(package, "int8", "bytes")
    break_variant(package, "fused", "swapped")
    choice = choose_variant(package, pipeline_of(package), read_golden(package))
    assert choice.variant["name"] == "float"
    assert [name for name, _ in choice.passed_over] == ["int8", "fused"]
    assert "does not open" in choice.passed_over[0][1]
    assert "differs from the reference" in choice.passed_over[1][1]


def test_a_package_without_a_good_variant_is_refused_with_every_reason(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p", variants=("int8", "float"))
    break_variant(package, "int8", "nan")
    break_variant(package, "float", "swapped")
    with pytest.raises(EnvironmentProblem) as caught:
        choose_variant(package, pipeline_of(package), read_golden(package))
    assert "int8: golden input 0: logits holds a value that is not finite" in caught.value.message
    assert "float: differs" in caught.value.message
    assert caught.value.next


def test_one_variant_can_be_insisted_on(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p", variants=("int8", "float"))
    choice = choose_variant(package, pipeline_of(package), read_golden(package), only="float")
    assert choice.variant["name"] == "float"
    with pytest.raises(BadInput, match="no variant 'fp4'"):
        choose_variant(package, pipeline_of(package), read_golden(package), only="fp4")


def test_paths_that_leave_the_package_are_refused(tmp_path: Path) -> None:
    package, outside = tmp_path / "p", tmp_path / "secret"
    package.mkdir()
    outside.write_text("x")
    (package / "link").symlink_to(outside)
    (package / "linked").symlink_to(tmp_path)
    (package / "file").write_text("y")
    for path in ("../secret", "/etc/passwd", str(outside), "a/../../secret", "link", "linked/secret", "", "..\\secret"):
        with pytest.raises(Damaged):
            inside(package, path)
    assert inside(package, "file").read_text() == "y"
    with pytest.raises(Damaged, match="missing"):
        inside(package, "nothing")


def test_a_variant_whose_graph_lies_outside_is_not_opened(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p")
    other = tiny_package(tmp_path / "q")
    variant = package.variants[0]
    variant["graphs"]["model"]["files"] = [f"../q/{other.variants[0]['graphs']['model']['files'][0]}"]
    with pytest.raises(Damaged, match="stay inside"):
        open_variant(package, variant)


def test_a_library_that_is_too_old_is_named() -> None:
    check_requires({"onnxruntime": "1.20"})
    with pytest.raises(EnvironmentProblem, match=r"needs onnxruntime >= 99.0, 1"):
        check_requires({"onnxruntime": "99.0"})
    with pytest.raises(EnvironmentProblem, match="not installed"):
        check_requires({"no-such-library-here": "1"})


def test_a_golden_set_whose_halves_do_not_fit_is_damaged(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p")
    inputs = package.path / "golden" / "inputs.jsonl"
    inputs.write_text(inputs.read_text().splitlines()[0] + "\n")
    with pytest.raises(Damaged, match="1 inputs and 10 outputs"):
        read_golden(package)


def test_a_reference_that_is_not_finite_passes_nothing() -> None:
    broken = {"logits": np.array([[np.nan, np.nan]], dtype=np.float32)}
    gap, same, why = compare({"logits": np.array([[2.0, 1.0]], dtype=np.float32)}, broken)
    assert (gap, same) == (math.inf, False)
    assert "reference" in why


def test_a_vector_agrees_by_its_direction_where_the_package_says_so() -> None:
    reference = {"embedding": np.array([[3.0, 4.0], [1.0, 0.0]])}
    turned = {"embedding": np.array([[3.0, 4.0], [0.995, 0.0999]])}  # 5.7 degrees, cosine 0.995
    too_far = {"embedding": np.array([[3.0, 4.0], [0.98, 0.199]])}  # 11.5 degrees, cosine 0.98
    assert compare(turned, reference, "cosine")[1]
    assert not compare(too_far, reference, "cosine")[1]
    assert compare({"embedding": np.array([[4.0, 3.0], [0.0, 1.0]])}, reference, "none")[1]
    # The largest value on the axis says nothing of a direction.
    assert compare({"embedding": np.array([[3.0, 4.0], [1.0, 0.9]])}, reference, "argmax")[1]


def test_an_agreement_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    golden = {"inputs": "golden/inputs.jsonl", "outputs": "golden/outputs.safetensors", "count": 10}
    package = tiny_package(tmp_path / "p", golden={**golden, "agreement": "by heart"})
    with pytest.raises(Damaged, match="agrees by 'by heart'"):
        read_golden(package)


def test_where_nothing_has_to_agree_nan_and_infinity_must_stand_where_the_reference_has_them() -> None:
    reference = {"y": np.array([1.0, np.nan, np.inf, -np.inf])}
    assert compare({"y": np.array([1.5, np.nan, np.inf, -np.inf])}, reference, "none") == (0.5, True, "")
    for other in ([1.0, 2.0, np.inf, -np.inf], [1.0, np.nan, -np.inf, -np.inf], [np.nan, np.nan, np.inf, -np.inf]):
        gap, _, why = compare({"y": np.array(other)}, reference, "none")
        assert gap == math.inf
        assert why.startswith("y is not finite in other places")
    assert compare(reference, reference, "argmax")[0] == math.inf


def test_texts_and_whole_numbers_beyond_float64_are_compared_exactly() -> None:
    texts = {"y": np.array(["a", "b"], dtype=object)}
    assert compare(texts, texts, "none") == (0.0, True, "")
    assert compare({"y": np.array(["a", "c"], dtype=object)}, texts, "none")[0] == math.inf
    big = {"y": np.array([2**53], dtype=np.int64)}
    assert compare(big, big, "none")[0] == 0.0
    assert compare({"y": big["y"] + 1}, big, "none")[0] == 1.0


def test_a_golden_set_without_what_it_agrees_by_is_damaged(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p")
    write_index(Package, package.path, {**package.info, "golden": {**package.info["golden"], "agreement": "sequences"}})
    with pytest.raises(Damaged, match="agrees by 'sequences', its outputs hold no output_ids"):
        read_golden(Package.open(package.path))
