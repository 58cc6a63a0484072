"""Python, processor, memory, disk, ports, network: what a run or a server will find."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from modelyard.chain.doctor.check import Check
from modelyard.environment import environment
from modelyard.training.base import MINILM
from modelyard.training.downloads import cache_folder

OLDEST, NEWEST = (3, 11), (3, 13)
EXACT_INT8 = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp")
NEEDED_MEMORY = 4 << 30  # bytes: training a small BERT takes about 2 GB
NEEDED_DISK = 2 << 30
HUB_TIMEOUT_S = 5.0


def python() -> Check:
    shown = ".".join(map(str, sys.version_info[:3]))
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return Check("python", "ok", f"{shown} at {sys.executable}")
    wanted = f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
    return Check("python", "missing", f"{shown}; {wanted} is needed", "make setup PYTHON=python3.11")


def processor() -> Check:
    """Cores, and what INT8 will do on them."""
    found = environment()
    flags = set(found["cpu_flags"])
    cores = f"{found['cores']} cores, {found['cpu']}"
    if flags & set(EXACT_INT8):
        return Check("processor", "ok", f"{cores}; INT8 is exact and fast here ({sorted(flags & set(EXACT_INT8))[0]})")
    if "avx2" in flags:
        return Check(
            "processor", "ok", f"{cores}; AVX2 without VNNI: INT8 weights get seven bits, so that sums are exact"
        )
    return Check("processor", "warn", f"{cores}; no AVX2: expect a slow float model, and INT8 that is no faster")


def memory() -> Check:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        if limit.is_file() and (text := limit.read_text().strip()).isdecimal():
            total = min(total, int(text))
    shown = f"{total / 1e9:.1f} GB for this process"
    if total < NEEDED_MEMORY:
        return Check(
            "memory", "warn", f"{shown}; training takes about 2 GB", "--set train.micro_batch_size=8 takes less"
        )
    return Check("memory", "ok", shown)


def disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    shown = f"{free / 1e9:.1f} GB free at {folder}"
    if free < NEEDED_DISK:
        return Check("disk", "warn", f"{shown}; a run takes about 1 GB", "modelyard gc frees what nothing needs")
    return Check("disk", "ok", shown)


def ports(numbers: tuple[int, ...] = (8000, 8001)) -> Iterator[Check]:
    for number in numbers:
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind(("127.0.0.1", number))
            except OSError:
                option = "--http" if number == numbers[0] else "--grpc"
                yield Check(f"port {number}", "warn", "taken by another program", f"modelyard serve ... {option} 0")
            else:
                yield Check(f"port {number}", "ok", "free")


def hub() -> Check:
    """Whether base models can be fetched by their hub names; no account or token is looked at."""
    without = f"train.base: {MINILM} (the package index), or the folder of a model"
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return Check("hub", "warn", "offline mode (HF_HUB_OFFLINE): only what the local cache has", without)
    address = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - the user's own hub
        with urllib.request.urlopen(request, timeout=HUB_TIMEOUT_S):  # noqa: S310
            return Check("hub", "ok", f"{address} answers")
    except urllib.error.HTTPError as error:
        return Check("hub", "ok", f"{address} answers ({error.code})")
    except (OSError, ValueError) as error:
        return Check("hub", "warn", f"{address} cannot be reached: {getattr(error, 'reason', error)}", without)


def cache() -> Check:
    """Where downloads from the package index are kept."""
    folder = cache_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK):
        return Check("cache", "warn", f"{there} cannot be written", "XDG_CACHE_HOME=DIR names another place")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    return Check("cache", "ok", f"{folder}, {size / 1e6:,.0f} MB")
