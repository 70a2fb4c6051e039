"""Whom PostgreSQL runs as."""

import os
from pathlib import Path

import pytest

from shequn.local import identity
from shequn.local.errors import LocalStackError
from shequn.local.identity import unprivileged

NOBODY = 65534
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2


@pytest.fixture
def program(tmp_path: Path) -> Path:
    program = tmp_path / "postgres"
    program.touch()
    program.chmod(0o755)
    return program


class TestAnOrdinaryUser:
    def test_stays_who_it_is(self, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        assert unprivileged(program, tmp_path / "data") is None


class TestRoot:
    @pytest.fixture(autouse=True)
    def _root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)

    @pytest.fixture(autouse=True)
    def held(self, monkeypatch: pytest.MonkeyPatch) -> set[int]:
        held = {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH}
        monkeypatch.setattr(identity, "_capabilities", lambda: held)
        return held

    def test_keeps_no_capability_when_paths_are_open(self) -> None:
        chosen = unprivileged(Path("/bin/sh"), Path("/tmp/no-such-folder"))
        assert chosen is not None
        assert (chosen.uid, chosen.capability) == (NOBODY, None)

    def test_keeps_the_right_to_pass_closed_folders(self, program: Path, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        chosen = unprivileged(program, tmp_path / "data")
        assert chosen is not None
        assert chosen.capability == CAP_DAC_READ_SEARCH

    def test_keeps_more_when_the_program_is_closed_too(self, program: Path, tmp_path: Path) -> None:
        program.chmod(0o700)
        chosen = unprivileged(program, tmp_path / "data")
        assert chosen is not None
        assert chosen.capability == CAP_DAC_OVERRIDE

    def test_says_what_to_do_when_it_holds_neither(self, program: Path, tmp_path: Path, held: set[int]) -> None:
        tmp_path.chmod(0o700)
        held.clear()
        with pytest.raises(LocalStackError, match="run as an ordinary user"):
            unprivileged(program, tmp_path / "data")
