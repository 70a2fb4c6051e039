"""Runs the `shequn` command as a user would: as a process."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def last_json(self) -> Any:
        """The JSON on the last line of its output."""
        return json.loads(self.out.strip().splitlines()[-1])


async def shequn(*arguments: str | Path, **environment: str) -> Answer:
    """Run `shequn ARGUMENTS` with more environment variables."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "shequn.cli",
        *map(str, arguments),
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Answer(process.returncode or 0, out.decode(), err.decode())
