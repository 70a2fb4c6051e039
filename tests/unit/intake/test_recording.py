import asyncio
import errno
import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from services.intake.adapters.recording import RecordingAdapter, RecordingSettings
from shequn.adapters import AddressedAction
from shequn.adapters.conformance import ExecutorConformance
from shequn.adapters.errors import PlatformAwayError
from shequn.runtime.failures import ConfigError
from tests.unit.intake.builders import ANN, environment, send


def recorder(folder: Path) -> RecordingAdapter:
    return RecordingAdapter(RecordingSettings(), environment(folder, "recording"))


def action(key: str) -> AddressedAction:
    return AddressedAction(send(key, text=f"第 {key} 条\n"), "gitter", account=ANN)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "actions.jsonl").read_text().splitlines()]


async def record(folder: Path, *keys: str) -> None:
    adapter = recorder(folder)
    await adapter.open()
    await adapter.execute_many([(action(key), key) for key in keys])
    await adapter.close()


class TestConformance(ExecutorConformance):
    folder: Path

    @pytest.fixture(autouse=True)
    def _in_folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make_adapter(self) -> RecordingAdapter:
        return recorder(self.folder)

    def action(self, number: int) -> AddressedAction:
        return action(str(number))

    def effects(self) -> int:
        return len(lines(self.folder))


class TestFile:
    async def test_a_line_says_what_and_to_whom(self, tmp_path: Path) -> None:
        await record(tmp_path, "k1")
        (line,) = lines(tmp_path)
        assert (line["key"], line["platform"], line["account"]) == ("k1", "gitter", "ann")
        assert line["data"]["text"] == "第 k1 条\n"

    async def test_a_key_twice_in_a_batch_is_one_line(self, tmp_path: Path) -> None:
        await record(tmp_path, "k1", "k2", "k1")
        assert [line["key"] for line in lines(tmp_path)] == ["k1", "k2"]

    async def test_a_torn_line_is_written_again(self, tmp_path: Path) -> None:
        await record(tmp_path, "k1", "k2")
        file = tmp_path / "actions.jsonl"
        file.write_bytes(file.read_bytes()[:-7])
        await record(tmp_path, "k2", "k1")
        assert [line["key"] for line in lines(tmp_path)] == ["k1", "k2"]

    async def test_one_sync_for_a_batch(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        adapter = recorder(tmp_path)
        await adapter.open()
        syncs: list[int] = []
        monkeypatch.setattr(os, "fsync", syncs.append)
        await adapter.execute_many([(action(str(number)), str(number)) for number in range(200)])
        assert len(syncs) == 1
        await adapter.close()

    async def test_a_second_process_is_refused(self, tmp_path: Path) -> None:
        first = recorder(tmp_path)
        await first.open()
        with pytest.raises(ConfigError, match="another process"):
            await recorder(tmp_path).open()
        await first.close()

    async def test_a_file_of_something_else_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "actions.jsonl").write_text("shopping list\n")
        with pytest.raises(ConfigError, match=r"actions\.jsonl"):
            await recorder(tmp_path).open()

    async def test_a_folder_that_cannot_be_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(ConfigError, match="cannot record"):
            await recorder(tmp_path / "file").open()


class SlowDisk:
    """A disk whose sync waits for a test, and may fail then."""

    def __init__(self, error: OSError | None = None) -> None:
        self.busy = threading.Event()
        self.go = threading.Event()
        self.error = error

    def sync(self, _: int) -> None:
        self.busy.set()
        assert self.go.wait(10)
        if self.error is not None:
            raise self.error


class TestCutOff:
    async def cut_off(self, adapter: RecordingAdapter, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch) -> None:
        """The disk has the line of k1 in hand, and nobody waits for it any more."""
        with monkeypatch.context() as slow:
            slow.setattr(os, "fsync", disk.sync)
            call = asyncio.create_task(adapter.execute(action("k1"), "k1"))
            await asyncio.to_thread(disk.busy.wait, 10)
            call.cancel()
            with suppress(asyncio.CancelledError):
                await call

    async def test_what_is_tried_again_is_one_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        adapter, disk = recorder(tmp_path), SlowDisk()
        await adapter.open()
        await self.cut_off(adapter, disk, monkeypatch)
        again = asyncio.create_task(adapter.execute(action("k1"), "k1"))
        await asyncio.sleep(0)
        disk.go.set()
        await again
        assert [line["key"] for line in lines(tmp_path)] == ["k1"]
        await adapter.close()

    async def test_a_late_failure_takes_no_other_line_along(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        adapter, disk = recorder(tmp_path), SlowDisk(OSError(errno.EIO, "input/output error"))
        await adapter.open()
        await self.cut_off(adapter, disk, monkeypatch)
        other = asyncio.create_task(adapter.execute(action("k2"), "k2"))
        await asyncio.wait([other], timeout=0.1)
        disk.go.set()
        await other
        await adapter.close()
        assert [line["key"] for line in lines(tmp_path)] == ["k2"]

    async def test_closing_waits_for_the_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        adapter, disk = recorder(tmp_path), SlowDisk()
        await adapter.open()
        await self.cut_off(adapter, disk, monkeypatch)
        closing = asyncio.create_task(adapter.close())
        await asyncio.sleep(0)
        assert not closing.done()
        disk.go.set()
        await closing


class TestFullDisk:
    async def test_nothing_stays_and_it_is_tried_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        adapter = recorder(tmp_path)
        await adapter.open()
        await adapter.execute(action("k1"), "k1")
        with monkeypatch.context() as broken:
            broken.setattr(os, "fsync", _no_space)
            with pytest.raises(PlatformAwayError):
                await adapter.execute(action("k2"), "k2")
        assert [line["key"] for line in lines(tmp_path)] == ["k1"]
        await adapter.execute(action("k2"), "k2")
        assert [line["key"] for line in lines(tmp_path)] == ["k1", "k2"]
        await adapter.close()


def _no_space(_: int) -> None:
    raise OSError(errno.ENOSPC, "no space left on device")


async def test_batches_at_once_take_turns(tmp_path: Path) -> None:
    adapter = recorder(tmp_path)
    await adapter.open()
    batches = [[(action(f"{one}"), f"{one}") for one in range(start, start + 5)] for start in range(10)]
    await asyncio.gather(*(adapter.execute_many(batch) for batch in batches))
    assert sorted(int(line["key"]) for line in lines(tmp_path)) == list(range(14))
    await adapter.close()
