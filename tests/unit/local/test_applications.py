"""Our services as processes."""

import os
import subprocess
from pathlib import Path

from shequn.local import application
from tests.support.command import ROOT


def test_a_service_is_ours_whatever_lies_in_the_folder_it_is_started_in(tmp_path: Path) -> None:
    (tmp_path / "shequn").mkdir()
    (tmp_path / "shequn" / "__init__.py").write_text("raise SystemExit('somebody else')\n")
    command = application("cli", "shequn.cli").argv
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([*command, "version"], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
