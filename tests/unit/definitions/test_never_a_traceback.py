"""Whatever stands in the files, the answer is a definition or a list of problems."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shequn.definitions import DefinitionError, Problem, load_folder
from shequn.definitions.errors import Report
from shequn.definitions.yamlfile import read_yaml

from .conftest import SOUND, Workshop

JUNK = [
    "",
    "~",
    "x",
    "5",
    "-1",
    "9.99",
    "true",
    "[]",
    "{}",
    "[~]",
    "[{}]",
    "{a: b}",
    "[[1], {x: [y]}]",
    "{on: x}",
    "{until: [~]}",
    "[5, x]",
]

files = st.sampled_from(sorted(SOUND))
quickly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def found_in(path: Path) -> tuple[Problem, ...]:
    try:
        load_folder(path)
    except DefinitionError as error:
        return error.problems
    return ()


def answer(path: Path) -> None:
    """Load; every problem must name a file of the folder and, unless it is about the whole file, a line in it."""
    for found in found_in(path):
        file = path / found.file
        lines = len(file.read_text(encoding="utf-8", errors="replace").splitlines()) + 1 if file.is_file() else 0
        assert 0 <= found.line <= lines, str(found)
        assert found.message


class TestAnyMistake:
    @quickly
    @given(files, st.integers(0, 30), st.sampled_from(JUNK))
    def test_in_a_value_is_answered(self, tmp_path: Path, name: str, at: int, junk: str) -> None:
        folder = Workshop(tmp_path / "tea")
        lines = SOUND[name].splitlines()
        at %= len(lines)
        lines[at] = f"{lines[at].partition(':')[0]}: {junk}"
        answer(folder.write(name, "\n".join(lines)).path)

    @quickly
    @given(files, st.integers(0, 400), st.text(max_size=6))
    def test_of_typing_is_answered(self, tmp_path: Path, name: str, at: int, typed: str) -> None:
        folder = Workshop(tmp_path / "tea")
        text = SOUND[name]
        at %= len(text)
        mistyped = (text[:at] + typed + text[at + 1 :]).encode("utf-8", "surrogatepass")
        answer(folder.write(name, mistyped).path)

    @quickly
    @given(st.sampled_from(JUNK), st.sampled_from(["send", "wait", "offer", "branch", "when", "go", "id"]))
    def test_in_a_step_is_answered(self, tmp_path: Path, junk: str, key: str) -> None:
        folder = Workshop(tmp_path / "tea").steps(f"  - {{send: welcome}}\n  - {{{key}: {junk or '~'}}}\n")
        answer(folder.path)

    @pytest.mark.parametrize("name", sorted(SOUND))
    @pytest.mark.parametrize("junk", JUNK)
    def test_that_fills_a_whole_file_is_answered(self, folder: Workshop, name: str, junk: str) -> None:
        answer(folder.write(name, junk).path)

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.binary(max_size=60))
    def test_of_bytes_is_answered(self, tmp_path: Path, raw: bytes) -> None:
        (tmp_path / "a.yaml").write_bytes(raw)
        report = Report()
        assert (read_yaml(tmp_path / "a.yaml", "a.yaml", report) is not None) or report.problems
