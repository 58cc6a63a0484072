"""docs/keras.md, run as it is written: the template through the whole chain, then tritonclient."""

from __future__ import annotations

import re
import shlex
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as tritongrpc
import tritonclient.http as tritonhttp

from tests.real.command import modelyard, reported
from tests.real.servers import serving

pytestmark = pytest.mark.e2e

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "keras.md").read_text("utf-8")
# The example needs no more to be learned, and loads that are short say little of speed.
SHORT = ["train.epochs=6", "optimize.requests=20", "optimize.load_seconds=1", "evaluate.requests=40"]
SHORT += ["evaluate.load_seconds=2", "release.override=short loads say little"]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder in which the lines of the page were run, and what the chain answered."""
    folder = tmp_path_factory.mktemp("shapes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder.parent / "cache"))
        install, init, run, serve = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()
        assert install == "pip install 'modelyard[keras]'"
        assert serve == "modelyard serve shapes@champion"
        code, answer, stderr = modelyard(folder, *shlex.split(init)[1:])
        assert code == 0, stderr
        settings = [word for setting in SHORT for word in ("--set", setting)]
        code, answer, stderr = modelyard(folder, *shlex.split(run)[1:], "--threads", "1", *settings)
        assert code == 0, stderr
    return folder, answer


def test_the_report_stands_on_the_keras_model(released: tuple[Path, dict[str, Any]]) -> None:
    folder, answer = released
    figures = reported(answer)
    assert figures["accuracy"]["value"] > 0.9
    assert figures["parity_max_abs"]["value"] < 1e-4
    assert figures["eager_accuracy"]["value"] == pytest.approx(figures["accuracy"]["value"], abs=0.02)
    assert "Keras on PyTorch" in figures["latency_cut"]["how"]
    assert figures["latency_cut"]["value"] is not None
    (model,) = (folder / ".modelyard" / "store" / "models").glob("[!.]*")
    with zipfile.ZipFile(model / "model.keras") as archive:
        assert not [name for name in archive.namelist() if name.endswith((".pkl", ".py", ".pt"))]


def test_pictures_are_answered_over_both_doors_alike_without_keras(released: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = released
    files = sorted((folder / "shapes").glob("*/*.png"))[::12]
    items = np.array([file.read_bytes() for file in files], dtype=object)
    with serving(folder / "served", "shapes@champion", "--workspace", str(folder / ".modelyard")) as server:
        rest_input = tritonhttp.InferInput("image", [len(items)], "BYTES")
        rest_input.set_data_from_numpy(items)
        rest = tritonhttp.InferenceServerClient(f"127.0.0.1:{server.http}").infer("shapes", [rest_input])
        grpc_input = tritongrpc.InferInput("image", [len(items)], "BYTES")
        grpc_input.set_data_from_numpy(items)
        grpc = tritongrpc.InferenceServerClient(f"127.0.0.1:{server.grpc}").infer("shapes", [grpc_input])
        maps = Path(f"/proc/{server.process.pid}/maps")
        loaded = maps.read_text() if maps.is_file() else ""
    for name in ("label", "score", "scores"):
        assert np.array_equal(rest.as_numpy(name), grpc.as_numpy(name)), name
    found = [label.decode() for label in rest.as_numpy("label")]
    wanted = [file.parent.name for file in files]
    assert sum(one == other for one, other in zip(found, wanted, strict=True)) >= len(wanted) - 1
    assert "libtorch" not in loaded
