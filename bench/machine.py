"""What the figures were measured on."""

import os
import platform
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import psutil

_SYNCS = 50
_PAGE_BYTES = 4_096


def describe_machine(folder: Path) -> dict[str, Any]:
    """Describe processors, memory, system, how busy it is, and the disk of a folder.

    Args:
        folder: where the servers will write; the time of a disk sync is measured there.
    """
    return {
        "cpus": os.cpu_count(),
        "cpu": _cpu_model(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "disk_sync_ms": round(disk_sync_seconds(folder) * 1_000, 2),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def disk_sync_seconds(folder: Path) -> float:
    """Measure the median time of writing a page and syncing it."""
    file = folder / "disk-sync"
    seconds = []
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for number in range(_SYNCS):
            os.pwrite(descriptor, bytes(_PAGE_BYTES), number * _PAGE_BYTES)
            began = perf_counter()
            os.fdatasync(descriptor)
            seconds.append(perf_counter() - began)
    finally:
        os.close(descriptor)
        file.unlink()
    return median(seconds)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
