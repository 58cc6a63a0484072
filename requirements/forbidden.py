"""Fail when a package that breaks this environment has got into it (see constraints.in)."""

from __future__ import annotations

import sys
from importlib.util import find_spec

REASONS = {
    "torchvision": "its wheel does not load beside this torch, and then transformers cannot import an image processor",
    "torchaudio": "its wheel does not load beside this torch",
    "torchao": "what it quantises does not export to ONNX, and importing transformers beside it prints warnings",
}

present = [name for name in REASONS if find_spec(name) is not None]
for name in present:
    print(f"{name} is installed, and Modelyard cannot work beside it: {REASONS[name]}.", file=sys.stderr)
if present:
    sys.exit(f"Remove it: {sys.executable} -m pip uninstall --yes {' '.join(present)}")
