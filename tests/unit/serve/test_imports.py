from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.packages import tiny_package

# The whole server, from the command line to the first scrape, in a process that then says what it has loaded.
SERVE = """
import json, os, signal, sys
from modelyard.cli.serve import command
import modelyard.serve.server as server

served = server.serve

def stop_when_ready(settings, on_ready):
    served(settings, lambda ready: (on_ready(ready), os.kill(os.getpid(), signal.SIGTERM)))

server.serve = stop_when_ready
try:
    command.main([sys.argv[1], "--http", "0", "--grpc", "0"], standalone_mode=False)
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
HEAVY = ("torch", "transformers", "pandas", "mlflow", "sqlalchemy", "alembic", "polars", "pyarrow", "sklearn", "onnx")


def test_serving_loads_no_training_stack(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p")
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(package.path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    assert {"grpc", "onnxruntime", "tokenizers", "uvicorn", "prometheus_client"} <= set(loaded)
    assert [name for name in HEAVY if name in loaded] == []
