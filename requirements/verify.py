"""Look at an environment that was just made: what must not be in it is not, and torch loads."""

from __future__ import annotations

import sys
from importlib.util import find_spec

FORBIDDEN = {
    "torchvision": "its wheel does not load beside this torch, and then transformers cannot import an image processor",
    "torchaudio": "its wheel does not load beside this torch",
    "torchao": "what it quantises does not export to ONNX, and importing transformers beside it prints warnings",
}

present = [name for name in FORBIDDEN if find_spec(name) is not None]
for name in present:
    print(f"{name} is installed, and Modelyard cannot work beside it: {FORBIDDEN[name]}.", file=sys.stderr)
if present:
    sys.exit(f"Remove it: {sys.executable} -m pip uninstall --yes {' '.join(present)}")

try:
    import torch  # noqa: F401
except ImportError as error:
    sys.exit(
        f"torch is installed but does not load: {error}\n"
        "That is what its CUDA build does without the CUDA libraries. Take the CPU build (README.md, Set-up), or add "
        f"the libraries: {sys.executable} -m pip install --requirement requirements/torch.txt"
    )
