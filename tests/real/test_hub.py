"""A hub on this machine, in the words of the real one's protocol: what is asked of it, and what is not."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.stages.adopt.models import make_base

pytestmark = pytest.mark.e2e

NAME = "somebody/encoder"
REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """Its address, and the names of the files that were fetched."""
    folder = make_base(tmp_path_factory.mktemp("hub") / "encoder")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02a pickle")
    (folder / "modeling_mine.py").write_text("raise SystemExit('run')")
    fetched: list[str] = []

    class Hub(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, body: bytes, **headers: str) -> None:
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path in (f"/api/models/{NAME}", f"/api/models/{NAME}/revision/main"):
                siblings = [{"rfilename": file.name, "size": file.stat().st_size} for file in folder.iterdir()]
                self.answer(json.dumps({"id": NAME, "sha": REVISION, "siblings": siblings}).encode())
                return
            if path == f"/api/models/{NAME}/tree/{REVISION}":
                tree = [
                    {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": REVISION}
                    for file in folder.iterdir()
                ]
                self.answer(json.dumps(tree).encode())
                return
            file = folder / path.rpartition("/")[2]
            if f"/{NAME}/resolve/" not in path or not file.is_file():
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if self.command == "GET":
                fetched.append(file.name)
            content = file.read_bytes()
            self.answer(content, ETag=f'"{hashlib.sha256(content).hexdigest()}"', X_Repo_Commit=REVISION)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *values: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", fetched
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def adopt(folder: Path, address: str, *more: str, offline: bool = False) -> tuple[int, dict[str, Any]]:
    cache = {"HF_HOME": str(folder / "cache"), "HF_ENDPOINT": address, "HF_HUB_OFFLINE": "1" if offline else "0"}
    done = subprocess.run(
        [sys.executable, "-m", "modelyard", "adopt", NAME, *more, "--json"],
        cwd=folder,
        env={**os.environ, **cache, "HF_HUB_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_a_hub_id_is_fetched_without_code_and_pickles_and_is_there_offline_afterwards(
    hub: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, fetched = hub
    code, answer = adopt(tmp_path, address, "--out", "big", "--set", "max_bytes=1000")
    assert (code, fetched) == (2, [])
    assert "nothing was fetched" in answer["error"]["message"]

    code, answer = adopt(tmp_path, address, "--out", "a")
    assert code == 0, answer
    assert (answer["kind"], answer["task"]) == ("model", "text_embedding")
    assert sorted(fetched) == ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    fetched.clear()
    code, again = adopt(tmp_path, address, "--out", "b", offline=True)
    assert (code, again["digest"], fetched) == (0, answer["digest"], [])

    shutil.rmtree(tmp_path / "cache")
    code, answer = adopt(tmp_path, address, "--out", "c", offline=True)
    assert (code, answer["error"]["kind"], answer["error"]["where"]) == (3, "environment", NAME)
    assert not (tmp_path / "c").exists()
