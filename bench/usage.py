"""Processor time and memory of processes, with their children."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class CpuMeter:
    """Processor seconds of named processes at one moment, and those of the whole machine."""

    by_name: Mapping[str, float]
    machine: float

    @classmethod
    def read(cls, pids: Mapping[str, int]) -> "CpuMeter":
        """Read the meters of processes by name."""
        return cls({name: cpu_seconds(pid) for name, pid in pids.items()}, _machine_seconds())

    def since(self, earlier: "CpuMeter") -> dict[str, float]:
        """Give the processor seconds used since an earlier reading, by name; ``elsewhere`` is what others used."""
        used = {name: seconds - earlier.by_name[name] for name, seconds in self.by_name.items()}
        return {**used, "elsewhere": max(0.0, self.machine - earlier.machine - sum(used.values()))}


def cpu_seconds(pid: int) -> float:
    """Give the processor seconds of a process and its living children."""
    return sum(times.user + times.system for times in (process.cpu_times() for process in _tree(pid)))


def resident_mb(pid: int) -> float:
    """Give the resident memory of a process and its children, in MB of 10^6 bytes."""
    return sum(process.memory_info().rss for process in _tree(pid)) / 1_000_000


def _tree(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _machine_seconds() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice + times.irq + times.softirq)
