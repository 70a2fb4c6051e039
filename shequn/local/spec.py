"""What a supervised process is, as data."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .identity import Identity

Probe = Callable[[], Awaitable[bool]]
"""Answers whether the process can do its work now. Says False rather than raise."""


@dataclass(frozen=True, slots=True)
class Ailment:
    """Why a process that was ready may need a restart.

    Attributes:
        why: for people.
        certain: it said itself that only a restart helps; once is enough.
    """

    why: str
    certain: bool = False


LivenessProbe = Callable[[], Awaitable[Ailment | None]]
"""Looks whether a process lives; None when all is well. Says what it finds rather than raise."""

Step = Callable[[], Awaitable[None]]

WRONG_INPUT = 2
"""The exit status by which our own processes say that a setting or file is wrong."""


async def _nothing() -> None:
    """The step that does nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process to keep alive.

    Attributes:
        name: unique in its stack; names the log file.
        argv: program and arguments; no shell.
        ready: probe that passes once the process can work.
        live: looks whether it still lives once it was ready; None waits for its end alone.
        env: variables added to the supervisor's environment.
        essential: without it nothing works: it is given up, and the stack ends, when it keeps crashing.
        depends_on: names that must be ready before this one starts. Names of embedded servers
            that an external one replaces count as ready.
        log: file that gets stdout and stderr; None is `<data>/logs/<name>.log`.
        cwd: working folder; None is the supervisor's.
        ports: TCP ports of 127.0.0.1 it will listen on, by use ("http").
        urls: addresses shown to people and other processes, by use.
        run_as: user to change to; None stays who we are.
        prepare: runs before every start; an error here is final for a process that is essential or was never ready.
        after_ready: runs once the probe has passed, before the process counts as ready.
        stop_signal: asks for a clean end.
        death_signal: what the kernel sends if the supervisor dies (Linux).
        ready_timeout: seconds from start to ready.
        stop_timeout: seconds from stop signal to SIGKILL.
    """

    name: str
    argv: tuple[str, ...]
    ready: Probe
    live: LivenessProbe | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    essential: bool = False
    depends_on: tuple[str, ...] = ()
    log: Path | None = None
    cwd: Path | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    run_as: Identity | None = None
    prepare: Step = _nothing
    after_ready: Step = _nothing
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    ready_timeout: float = 30.0
    stop_timeout: float = 10.0
