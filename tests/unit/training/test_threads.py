from __future__ import annotations

import os
import subprocess
import sys


def test_waiting_threads_sleep_before_torch_is_loaded():
    code = "import modelyard.run, os, sys; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    clean = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean)
    assert done.stdout.split() == ["PASSIVE", "False"]


def test_who_sets_the_policy_is_obeyed():
    code = "import modelyard, os; print(os.environ['OMP_WAIT_POLICY'])"
    chosen = {**os.environ, "OMP_WAIT_POLICY": "ACTIVE"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=chosen)
    assert done.stdout.strip() == "ACTIVE"
