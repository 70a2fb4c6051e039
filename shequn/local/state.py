"""The data folder's lock, and `stack.json`, which tells other terminals where things are."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from shequn.runtime.failures import ConfigError

from .errors import DataFolderError, StackRunningError

_LOCK_FILE = "stack.lock"
_STATE_FILE = "stack.json"
_LOCK_PATIENCE_SECONDS = 1.0
_OWNER_ONLY = 0o600


class ProcessRecord(BaseModel):
    """One process as others see it."""

    model_config = ConfigDict(frozen=True)

    pid: int | None
    state: str
    restarts: int
    ports: dict[str, int]
    urls: dict[str, str]
    log: str


class StackRecord(BaseModel):
    """A running stack as others see it. Holds the database password: the file is mode 0600.

    Attributes:
        pid: the supervisor.
        nats_url: address of NATS.
        postgres_dsn: address of the applications' database.
        prefect_api_url: address of Prefect's API, or None without Prefect.
        environment: variables that point a program at this stack.
        processes: all processes by name.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    nats_url: str
    postgres_dsn: str
    prefect_api_url: str | None
    environment: dict[str, str]
    processes: dict[str, ProcessRecord]


class FolderLock:
    """The right to run a stack in a data folder. Dies with the process that holds it."""

    def __init__(self, descriptor: int) -> None:
        """Wrap a descriptor that holds the lock; see `take`."""
        self._descriptor = descriptor

    @classmethod
    async def take(cls, folder: Path) -> Self:
        """Take the lock. A dying stack gets one second to let go.

        Raises:
            StackRunningError: a living stack has it.
            DataFolderError: the lock file cannot be opened.
        """
        try:
            descriptor = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
        except OSError as error:
            raise DataFolderError(folder, error) from error
        deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
        while not _try_lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                holder = os.read(descriptor, 32).strip()
                os.close(descriptor)
                raise StackRunningError(folder, int(holder) if holder.isdigit() else None)
            await asyncio.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return cls(descriptor)

    def release(self) -> None:
        """Give the lock back."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def prepare_folder(folder: Path) -> Path:
    """Make `folder` and prove that it can be written to; its absolute path.

    Raises:
        DataFolderError: it cannot be made or written to.
    """
    try:
        folder = folder.expanduser().resolve()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError) as error:  # RuntimeError: no home for ~, or a symlink loop
        raise DataFolderError(folder, error) from error


async def empty_folder(folder: Path, marker: str, refusal: str) -> None:
    """Remove everything in `folder`, if a former call marked it or it holds nothing; mark it.

    Args:
        folder: made when missing.
        marker: name of the file that says that the content may go.
        refusal: what to say when the folder holds something and has no marker.

    Raises:
        ConfigError: it holds something and has no marker.
        StackRunningError: a stack runs in it, or is just starting.
        DataFolderError: it cannot be made or written to.
    """
    folder = prepare_folder(folder)
    try:
        _require_marker(folder, marker, refusal)  # before the lock, which would leave a file there
        lock = await FolderLock.take(folder)
        try:
            for entry in _require_marker(folder, marker, refusal):
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                elif entry.name != marker:
                    entry.unlink()
            (folder / marker).touch()
        finally:
            lock.release()
    except OSError as error:
        raise DataFolderError(folder, error) from error


def _require_marker(folder: Path, marker: str, refusal: str) -> list[Path]:
    """What is in the folder, besides its lock."""
    entries = [entry for entry in folder.iterdir() if entry.name != _LOCK_FILE]
    if entries and not (folder / marker).is_file():
        raise ConfigError(refusal)
    return entries


def write_record(folder: Path, record: StackRecord) -> None:
    """Replace `stack.json` in one step."""
    target = folder / _STATE_FILE
    draft = target.with_suffix(".json.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "w") as file:
        file.write(record.model_dump_json(indent=2))
    draft.replace(target)


def remove_record(folder: Path) -> None:
    """Remove `stack.json`, if there is one."""
    (folder / _STATE_FILE).unlink(missing_ok=True)


def read_record(folder: Path) -> StackRecord | None:
    """The stack that runs in `folder`; None when none does, whatever a dead one left behind."""
    try:
        descriptor = os.open(folder / _LOCK_FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        if _try_lock(descriptor, fcntl.LOCK_SH):
            return None
        with contextlib.suppress(FileNotFoundError):
            return StackRecord.model_validate_json((folder / _STATE_FILE).read_bytes())
        return None
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
