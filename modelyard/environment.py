"""The machine and the libraries that a figure was measured with."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = (
    *("modelyard", "torch", "keras", "transformers", "tokenizers", "onnx", "onnxruntime"),
    *("numpy", "polars", "pyarrow"),
)
# The instruction sets that decide how fast, and how exactly, integer and half-precision kernels run.
CPU_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "asimddp", "sve")
# Those that multiply and add eight-bit integers without saturating in between (Arm's dot product too).
EXACT_INT8 = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"})


def _cpu() -> tuple[str, list[str]]:
    """Model name and the flags of CPU_FLAGS that this processor has."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine(), []
    name, flags = platform.machine(), set[str]()
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        elif key.strip() in ("flags", "Features"):
            flags.update(value.split())
    return name, [flag for flag in CPU_FLAGS if flag in flags]


def usable_cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment() -> dict[str, Any]:
    """CPU, cores, flags, operating system, Python and library versions; no host name, no path."""
    libraries = {}
    for name in LIBRARIES:
        try:
            libraries[name] = version(name)
        except PackageNotFoundError:
            continue
    name, flags = _cpu()
    return {
        "cpu": name,
        "cores": usable_cores(),
        "cpu_flags": flags,
        "gpu": None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": ".".join(map(str, sys.version_info[:3])),
        "libraries": libraries,
    }
