"""What `./run check` checks, so that no change lands without it."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT

PROGRAMS = Path(sys.executable).parent


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "command",
    ["ruff check", "ruff format --check", "mypy", "lint-imports", "deptry .", "codespell"],
)
async def test_the_tree_passes(command: str) -> None:
    program, *arguments = command.split()
    process = await asyncio.create_subprocess_exec(
        str(PROGRAMS / program),
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-4_000:]
