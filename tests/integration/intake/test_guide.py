"""What the guide tells people to type, typed."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from shequn.definitions import load_folder
from tests.integration.intake.conftest import Bench
from tests.support.command import ROOT
from tests.support.events import applied
from tests.support.waiting import eventually

GUIDE = (ROOT / "docs" / "guide" / "intake.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", GUIDE, flags=re.DOTALL | re.MULTILINE)
CLUB = load_folder(ROOT / "samples" / "reading-club").definition.model_copy(update={"version": 1})

pytestmark = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl")), reason="the guide's commands need curl and openssl"
)


def setting(name: str) -> str:
    """The value of a variable that the guide exports."""
    (value,) = re.findall(rf"export {name}='(.*?)'", GUIDE, flags=re.DOTALL)
    return value


def typed(folder: Path, url: str) -> list[str]:
    """Type the commands of `Try it by hand`, and give the answers' codes."""
    commands = "".join(block for block in BLOCKS if not re.search(r"\./run|^export", block, flags=re.MULTILINE))
    assert commands.count("intake=http://127.0.0.1:8080") == 1
    done = subprocess.run(
        ["sh", "-eu"],
        input=commands.replace("http://127.0.0.1:8080", url),
        cwd=folder,
        env={**os.environ, "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return re.findall(r"^HTTP/1.1 (\d+)", done.stdout, flags=re.MULTILINE)


async def test_requests_by_hand_are_accepted(bench: Bench) -> None:
    await bench.publish([applied(CLUB)])
    async with bench.intake(SHEQUN_INTAKE_CHANNELS=setting("SHEQUN_INTAKE_CHANNELS")):
        assert typed(bench.folder, bench.url) == ["202"] * 3
    assert [await bench.stored(stream) for stream in ("PAYMENTS", "SIGNUPS")] == [2, 1]


async def test_a_recording_is_read_by_a_channel_of_its_own(bench: Bench) -> None:
    await bench.publish([applied(CLUB)])
    choice = json.loads(setting("SHEQUN_INTAKE_INCOMING"))
    choice["archive"]["file"] = str(ROOT / choice["archive"]["file"])
    async with bench.intake(SHEQUN_INTAKE_INCOMING=json.dumps(choice)):
        await eventually(lambda: bench.stored("CHAT"), lambda count: count == 7)
        await eventually(lambda: bench.query("SELECT count(*) FROM memberships"), lambda count: count == 1)
