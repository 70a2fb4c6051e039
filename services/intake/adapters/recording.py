"""Writes actions into a file instead of sending them: for rehearsals, tests, and platforms nobody has connected yet.

One JSON object a line, each key once: the file is read at the start, and a repeated key is delivered already. One disk
sync for a whole batch. A line that a crash tore is cut off, for its action was never confirmed.
"""

import asyncio
import fcntl
import os
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, ClassVar

import orjson
from pydantic import Field

from shequn.adapters import (
    Adapter,
    AdapterEnvironment,
    AdapterManifest,
    AdapterSettings,
    AddressedAction,
    Health,
    Label,
    Outcome,
)
from shequn.adapters.errors import PlatformAwayError
from shequn.contracts.actions import DeleteMessage, SendMessage
from shequn.runtime.failures import ConfigError


class RecordingSettings(AdapterSettings):
    """Settings of a recording.

    Attributes:
        file: the file's name in the data folder.
    """

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$"), Label(zh="文件名", en="File name")] = "actions.jsonl"


class RecordingAdapter(Adapter[RecordingSettings]):
    """Appends each action to a file."""

    manifest: ClassVar[AdapterManifest] = AdapterManifest(
        name="recording",
        title=Label(zh="动作录制", en="Recording of actions"),
        settings=RecordingSettings,
        actions=(SendMessage, DeleteMessage),
        deduplicates=True,
    )

    def __init__(self, settings: RecordingSettings, environment: AdapterEnvironment) -> None:
        """Remember where the file is."""
        super().__init__(settings, environment)
        self.path: Path = environment.data_dir / settings.file
        self._file = -1
        self._written: set[bytes] = set()
        self._turn = asyncio.Lock()
        self._writes: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Open the file and read the keys in it.

        Raises:
            ConfigError: the file cannot be written, or another process writes it.
        """
        try:
            await asyncio.to_thread(self._open)
        except BlockingIOError:
            raise ConfigError(f"another process writes {self.path}; give each its own SHEQUN_DATA_DIR") from None
        except (OSError, orjson.JSONDecodeError, KeyError) as error:
            raise ConfigError(f"cannot record actions in {self.path}: {error}") from error

    async def close(self) -> None:
        """Close the file, once a write that nobody waits for any more has ended."""
        async with self._turn:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    async def health(self) -> Health:
        """Tell whether the file is open."""
        return Health(healthy=self._file >= 0, detail="" if self._file >= 0 else f"{self.path} is not open")

    async def execute(self, action: AddressedAction, idempotency_key: str) -> Outcome:
        """Write one action; see :class:`shequn.adapters.Executes`."""
        return (await self.execute_many([(action, idempotency_key)]))[0]

    async def execute_many(self, actions: Sequence[tuple[AddressedAction, str]]) -> Sequence[Outcome]:
        """Write the actions whose keys are new, with one disk sync; see :class:`shequn.adapters.ExecutesBatches`."""
        write = asyncio.create_task(self._write(actions), name="record")
        self._writes.add(write)
        write.add_done_callback(self._ended)
        # A thread cannot be cut off. Who waits for it may be, and the next call must then find the keys it wrote.
        await asyncio.shield(write)
        return [Outcome.delivered(receipt=key) for _, key in actions]

    async def _write(self, actions: Sequence[tuple[AddressedAction, str]]) -> None:
        async with self._turn:
            fresh: dict[bytes, bytes] = {}
            for action, key in actions:
                digest = _digest(key)
                if digest not in self._written and digest not in fresh:
                    fresh[digest] = orjson.dumps(self._line(action, key), option=orjson.OPT_APPEND_NEWLINE)
            if fresh:
                try:
                    await asyncio.to_thread(self._append, b"".join(fresh.values()))
                except OSError as error:
                    raise PlatformAwayError(f"cannot write {self.path}: {error}") from error
                self._written.update(fresh)

    def _ended(self, write: "asyncio.Task[None]") -> None:
        self._writes.discard(write)
        if not write.cancelled():
            write.exception()  # looked at, for the case that nobody waits for it any more

    def _line(self, action: AddressedAction, key: str) -> dict[str, Any]:
        command = action.command
        return {
            "key": key,
            "action": command.type,
            "action_id": command.id,
            "community": command.community,
            "platform": action.platform,
            "account": None if action.account is None else action.account.account_id,
            "chat": action.chat,
            "recorded": self.environment.clock.now().isoformat(),
            "data": command.model_dump(mode="json")["data"],
        }

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._written = _read_keys(self.path, file)
            _sync_folder(self.path.parent)
        except BaseException:
            os.close(file)
            raise
        self._file = file

    def _append(self, lines: bytes) -> None:
        before = os.fstat(self._file).st_size
        try:
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError:
            # None of these actions counts as done, so none of their lines may stay.
            os.ftruncate(self._file, before)
            raise


def _read_keys(path: Path, file: int) -> set[bytes]:
    keys: set[bytes] = set()
    whole = 0
    with path.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                os.ftruncate(file, whole)
                break
            keys.add(_digest(orjson.loads(line)["key"]))
            whole += len(line)
    return keys


def _sync_folder(folder: Path) -> None:
    """Make the file's name as durable as its lines."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(key: str) -> bytes:
    # A million digests take 80 MB less than a million keys of 100 characters.
    return blake2b(key.encode(), digest_size=16).digest()
