"""`shequn up` and `shequn demo`: what they refuse before anything runs."""

from pathlib import Path

import pytest

from shequn.local.state import FolderLock
from tests.support.command import shequn


@pytest.fixture
def former_demo(tmp_path: Path) -> Path:
    """A folder that a demo made."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "demo").touch()
    (folder / "stack.json.old").touch()
    return folder


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class TestDemo:
    async def test_leaves_a_folder_alone_whose_stack_is_just_starting(self, former_demo: Path) -> None:
        lock = await FolderLock.take(former_demo)
        answer = await shequn("demo", "--seconds", "20", "--data", former_demo)
        lock.release()
        assert answer.code == 2
        assert "is in use by a running stack" in answer.err
        assert (former_demo / "stack.json.old").exists()

    async def test_leaves_a_folder_alone_in_which_a_demo_has_its_own(self, former_demo: Path) -> None:
        (former_demo.parent / "demo").mkdir()
        answer = await shequn("demo", "--seconds", "20", "--data", former_demo.parent)
        assert answer.code == 2
        assert "no demo's" in answer.err
        assert (former_demo / "stack.json.old").exists()


@pytest.mark.parametrize("command", [("up",), ("demo", "--seconds", "20")])
class TestAWrongAddressOfTheBus:
    async def test_is_refused_before_anything_is_touched(self, former_demo: Path, command: tuple[str, ...]) -> None:
        answer = await shequn(*command, "--data", former_demo, SHEQUN_NATS_URL="nats://me:secret@non sense")
        assert answer.code == 2
        assert "SHEQUN_NATS_URL is wrong: 'nats://non sense'" in answer.err
        assert "secret" not in answer.err
        assert names_in(former_demo) == {"demo", "stack.json.old"}


@pytest.mark.parametrize("command", [("up",), ("demo", "--seconds", "20")])
class TestAWrongAddressOfTheStore:
    async def test_is_refused_before_anything_is_touched(self, former_demo: Path, command: tuple[str, ...]) -> None:
        dsn = "postgresql://me:s3c/ret@db/shequn"
        answer = await shequn(*command, "--data", former_demo, SHEQUN_POSTGRES_DSN=dsn)
        assert answer.code == 2
        assert "SHEQUN_POSTGRES_DSN is wrong" in answer.err
        assert "s3c" not in answer.err
        assert names_in(former_demo) == {"demo", "stack.json.old"}


class TestTheDataFolder:
    async def test_is_the_one_that_is_set(self, tmp_path: Path) -> None:
        answer = await shequn("dlq", "list", SHEQUN_DATA_DIR=str(tmp_path / "mine"))
        assert answer.code == 2
        assert f"no stack runs on the folder {tmp_path / 'mine'}" in answer.err

    async def test_may_lie_in_the_home_folder(self, tmp_path: Path) -> None:
        answer = await shequn("dlq", "list", SHEQUN_DATA_DIR="~/mine", HOME=str(tmp_path))
        assert f"no stack runs on the folder {tmp_path / 'mine'}" in answer.err

    async def test_given_with_the_command_comes_first(self, tmp_path: Path) -> None:
        answer = await shequn("dlq", "list", "--data", tmp_path / "other", SHEQUN_DATA_DIR=str(tmp_path / "mine"))
        assert f"no stack runs on the folder {tmp_path / 'other'}" in answer.err
