"""The `run` script, in a clone whose path has a space, with a stand-in for uv."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "run"
FAKE_UV = """\
#!/bin/sh
echo "uv $*" >>calls
case $1 in
venv) mkdir -p .venv/bin && ln -s "$FAKE_PYTHON" .venv/bin/python ;;
pip) cp fake-shequn .venv/bin/shequn ;;
esac
"""
FAKE_SHEQUN = """\
#!/bin/sh
printf '<%s>' "$@"
[ "$1" != where ] || { printf '%s' "$SHEQUN_DATA_DIR $PREFECT_HOME"; exit 0; }
[ "$1" != wait ] || exec sleep 100
exit 7
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "my clone 社群"
    folder.mkdir()
    shutil.copy2(SCRIPT, folder)
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        (folder / name).touch()
    program(folder / "fake-shequn", FAKE_SHEQUN)
    program(folder / "bin" / "uv", FAKE_UV)
    return folder


@pytest.fixture
def environment(clone: Path) -> dict[str, str]:
    path = f"{clone / 'bin'}:{os.environ['PATH']}"
    own = {name: value for name, value in os.environ.items() if name not in {"SHEQUN_DATA_DIR", "PREFECT_HOME"}}
    return {**own, "PATH": path, "FAKE_PYTHON": sys.executable}


@pytest.fixture
def run(clone: Path, environment: dict[str, str]) -> Run:
    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(clone / "run"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=environment)

    return call


def calls(clone: Path) -> list[str]:
    log = clone / "calls"
    return log.read_text().splitlines() if log.exists() else []


class TestVerbs:
    def test_pass_arguments_and_exit_status_on(self, run: Run) -> None:
        ended = run("shequn", "two words", "")
        assert ended.stdout == "<two words><>"
        assert ended.returncode == 7

    @pytest.mark.parametrize("verb", ["demo", "up"])
    def test_are_commands_of_shequn(self, run: Run, verb: str) -> None:
        assert run(verb, "--fast").stdout == f"<{verb}><--fast>"

    def test_unknown_ones_print_the_usage(self, run: Run, clone: Path) -> None:
        ended = run("dance")
        assert ended.returncode == 2
        assert "usage: ./run VERB" in ended.stderr
        assert calls(clone) == []

    def test_hand_signals_on(self, clone: Path, run: Run, environment: dict[str, str]) -> None:
        run("shequn")
        command = [str(clone / "run"), "shequn", "wait"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.read(6) == b"<wait>"
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == -signal.SIGTERM


class TestWhereItWrites:
    def test_is_the_clone_wherever_it_is_called_from(self, run: Run, clone: Path) -> None:
        assert run("shequn", "where").stdout == f"<where>{clone}/.shequn {clone}/.venv/prefect"

    def test_is_the_folder_that_is_set(self, run: Run, clone: Path, environment: dict[str, str]) -> None:
        environment["SHEQUN_DATA_DIR"] = "/elsewhere"
        assert run("shequn", "where").stdout.startswith("<where>/elsewhere ")


class TestPreparing:
    def test_installs_what_the_lock_says_with_its_hashes(self, run: Run, clone: Path) -> None:
        run("shequn")
        made, locked, own = calls(clone)
        assert made.startswith("uv venv")
        assert "--require-hashes -r requirements.lock" in locked
        assert own.endswith("--no-deps --no-build-isolation -e .")

    def test_happens_once(self, run: Run, clone: Path) -> None:
        run("shequn")
        before = len(calls(clone))
        run("shequn")
        assert len(calls(clone)) == before

    def test_happens_again_when_the_lock_changed(self, run: Run, clone: Path) -> None:
        run("shequn")
        before = len(calls(clone))
        (clone / "requirements.lock").write_text("changed\n")
        run("shequn")
        assert len(calls(clone)) == 2 * before

    def test_for_a_developer_serves_a_user_too(self, run: Run, clone: Path) -> None:
        run("bench")
        before = calls(clone)
        assert any("-r requirements.lock -r requirements-dev.lock" in call for call in before)
        run("shequn")
        assert calls(clone) == before

    def test_falls_back_to_pip_and_says_so(self, run: Run, clone: Path) -> None:
        program(clone / "bin" / "uv", "#!/bin/sh\nexit 1\n")
        # Found, and with all modules, but unable to make anything.
        program(clone / "bin" / "python3", '#!/bin/sh\n[ "$1" = - ]\n')
        ended = run("shequn")
        assert "uv could not install; using pip" in ended.stderr
        assert ended.returncode == 1
        assert "then run the same command again" in ended.stderr

    def test_says_so_when_there_is_no_python(self, run: Run, clone: Path) -> None:
        for name in ("uv", "python3", "python3.13", "python3.12", "python3.11"):
            program(clone / "bin" / name, "#!/bin/sh\nexit 1\n")
        ended = run("shequn")
        assert ended.returncode == 1
        assert "no Python >= 3.11 found" in ended.stderr
