"""`shequn demo` as a newcomer runs it."""

import asyncio
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.command import ROOT, shequn
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def alive(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie waits for its parent only."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_the_services_count_what_the_story_predicts(tmp_path: Path) -> None:
    answer = await shequn("demo", "--seconds", "40", "--json", "--data", tmp_path / "demo")
    assert answer.code == 0, answer.err + answer.out
    summary = answer.last_json
    assert summary["counted"] == summary["predicted"]
    assert summary["equal"] is True
    assert summary["predicted"]["stages"]["referral"] > 0


async def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "shequn.cli", "demo", "--data", str(data), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    children: set[psutil.Process] = set()

    async def services() -> int:
        children.update(psutil.Process(process.pid).children(recursive=True))
        return len(children)

    await eventually(services, lambda count: count >= 8, within=90)
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.communicate(), timeout=60)
    assert process.returncode == 0
    assert [child for child in children if alive(child)] == []


async def test_a_folder_of_something_else_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("keep me", encoding="utf-8")
    answer = await shequn("demo", "--seconds", "40", "--data", tmp_path)
    assert answer.code == 2
    assert "no demo's" in answer.err
    assert (tmp_path / "precious.txt").exists()


async def test_too_few_seconds_are_refused() -> None:
    answer = await shequn("demo", "--seconds", "3")
    assert answer.code == 2
    assert "--seconds" in answer.err


async def test_a_folder_that_is_a_file_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = await shequn("demo", "--seconds", "40", "--data", tmp_path / "file")
    assert answer.code == 2
    assert "cannot be used" in answer.err
    assert "Traceback" not in answer.err
