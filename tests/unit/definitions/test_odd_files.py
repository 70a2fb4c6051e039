"""Whatever stands under a file's name is answered at once, with that name: nothing hangs, nothing is a traceback."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shequn.definitions import DefinitionError, Problem, load_folder
from shequn.definitions.textfile import MAX_BYTES, read_text

from .conftest import SOUND, Workshop

NAMES = ["community.yaml", "products.yaml", "funnels/growth.yaml", "messages/welcome.yaml", "words/spam.txt"]
NOBODY = 65534

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and /dev")


def bind(path: Path) -> None:
    # A socket's path has at most 108 characters: it is bound from within its folder.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(before)


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)  # it takes no room


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (os.mkfifo, "cannot be read: it is a named pipe, not a file"),
    "a socket": (bind, "cannot be read: it is a socket, not a file"),
    "a folder": (Path.mkdir, "cannot be read: it is a folder, not a file"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "cannot be read: No such file or directory"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "cannot be read: Too many levels of symbolic links"),
    "a tebibyte": (huge, "is larger than 1 MiB"),
}
ODD_ON_LINUX: dict[str, tuple[Callable[[Path], object], str]] = {
    "an endless device": (lambda path: path.symlink_to("/dev/zero"), "cannot be read: it is a device, not a file"),
    "unreadable memory": (lambda path: path.symlink_to("/proc/self/mem"), "cannot be read: Input/output error"),
}


def only_problem(folder: Workshop, name: str, make: Callable[[Path], object]) -> Problem:
    path = folder.path / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)
    return folder.problem()


class TestAFileThatIsNone:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("what", ODD)
    @pytest.mark.timeout(10)
    def test_is_the_only_problem(self, folder: Workshop, name: str, what: str) -> None:
        make, message = ODD[what]
        found = only_problem(folder, name, make)
        assert (found.file, found.line, found.message) == (name, 0, message)

    @linux_only
    @pytest.mark.parametrize("what", ODD_ON_LINUX)
    @pytest.mark.timeout(10)
    def test_of_the_system_is_the_only_problem(self, folder: Workshop, what: str) -> None:
        make, message = ODD_ON_LINUX[what]
        assert only_problem(folder, "products.yaml", make).message == message

    def test_says_so_when_it_is_a_link(self, folder: Workshop) -> None:
        found = only_problem(folder, "products.yaml", lambda path: path.symlink_to("nowhere"))
        assert found.hint == "it is a link: let it lead to a file, or remove it"

    @pytest.mark.timeout(30)
    def test_ends_check_with_exit_code_2(self, folder: Workshop) -> None:
        folder.remove("products.yaml")
        os.mkfifo(folder.path / "products.yaml")
        answer = subprocess.run(
            [sys.executable, "-m", "shequn.cli", "check", str(folder.path)],
            capture_output=True,
            text=True,
            timeout=25,
            check=False,
        )
        assert answer.returncode == 2
        assert "products.yaml: cannot be read: it is a named pipe" in answer.stdout + answer.stderr
        assert "Traceback" not in answer.stderr


class TestALinkToAFile:
    def test_is_read(self, folder: Workshop) -> None:
        (folder.path / "products.yaml").rename(folder.path / "products.txt")
        (folder.path / "products.yaml").symlink_to("products.txt")
        assert len(folder.load().definition.products) == 3


class TestASubfolder:
    @pytest.mark.parametrize("name", ["funnels", "messages", "words"])
    @pytest.mark.parametrize("make", [os.mkfifo, Path.touch, lambda path: path.symlink_to("nowhere")])
    def test_that_is_none_is_the_only_problem(
        self, folder: Workshop, name: str, make: Callable[[Path], object]
    ) -> None:
        shutil.rmtree(folder.path / name, ignore_errors=True)
        make(folder.path / name)
        found = folder.problem()
        assert (found.file, found.hint) == (name, "it should be a folder that you may read")
        assert found.message.startswith("cannot be read: ")


class TestTheFolderItself:
    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (os.mkfifo, "is not a folder"),
            (lambda path: path.symlink_to("nowhere"), "does not exist"),
            (lambda path: path.symlink_to(path.name), "cannot be read: Too many levels of symbolic links"),
        ],
    )
    def test_that_is_none_is_named(self, tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
        make(tmp_path / "tea")
        with pytest.raises(DefinitionError) as caught:
            load_folder(tmp_path / "tea")
        assert [(found.file, found.message) for found in caught.value.problems] == [(str(tmp_path / "tea"), message)]


@pytest.fixture
def forbidden() -> Iterator[Workshop]:
    """A sound folder of another user; what the test closes it cannot read."""
    # Not in tmp_path: its parents are closed to other users.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Workshop(Path(name) / "tea")
        me = os.geteuid()
        if me == 0:  # root reads everything
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            os.seteuid(me)
            for path in (folder.path, *folder.path.rglob("*")):
                path.chmod(0o755)


def close(path: Path) -> None:
    me = os.geteuid()
    if me == NOBODY:
        os.seteuid(0)
    path.chmod(0)
    os.seteuid(me)


class TestWithoutPermission:
    @pytest.mark.parametrize("name", sorted(SOUND))
    def test_a_file_is_the_only_problem(self, forbidden: Workshop, name: str) -> None:
        close(forbidden.path / name)
        found = forbidden.problem()
        assert (found.file, found.message) == (name, "cannot be read: Permission denied")
        assert found.hint == "check the file and its permissions"

    @pytest.mark.parametrize("name", ["funnels", "messages"])
    def test_a_subfolder_is_the_only_problem(self, forbidden: Workshop, name: str) -> None:
        close(forbidden.path / name)
        assert (forbidden.problem().file, forbidden.problem().message) == (name, "cannot be read: Permission denied")

    def test_the_folder_is_named(self, forbidden: Workshop) -> None:
        close(forbidden.path)
        assert forbidden.problem().message == "cannot be read: Permission denied"

    def test_the_folder_above_is_no_traceback(self, forbidden: Workshop) -> None:
        close(forbidden.path)
        with pytest.raises(DefinitionError, match="cannot be read: Permission denied"):
            load_folder(forbidden.path / "inner")


class TestANameThatCannotBePrinted:
    @pytest.mark.parametrize(
        "name", [b"funnels/\xff.yml", b"funnels/\x1b[2J\n.yml", b"messages/\xff.yaml", b"\xff.yaml"]
    )
    def test_is_replaced(self, folder: Workshop, name: bytes) -> None:
        folder.write(os.fsdecode(name), "zh: 一\nen: one\n")
        problems = folder.problems()
        assert {found.file.count("\N{REPLACEMENT CHARACTER}") > 0 for found in problems} == {True}
        assert all(str(found).isprintable() for found in problems)


class TestAGreatFile:
    def test_of_words_is_to_be_shortened(self, folder: Workshop) -> None:
        found = folder.write("words/ads.txt", b"x\n" * MAX_BYTES).problem()
        assert (found.message, found.hint) == ("is larger than 1 MiB", "shorten it")

    def test_is_not_read_to_its_end(self, tmp_path: Path) -> None:
        from shequn.definitions.errors import Report

        huge(tmp_path / "a.yaml")
        report = Report()
        assert read_text(tmp_path / "a.yaml", "a.yaml", report) is None
        assert len(report.problems) == 1


class TestChinesePunctuation:
    def test_for_a_colon_is_told_on_its_own_line(self, folder: Workshop) -> None:
        folder.write("products.yaml", "products:\n  - id: course\n    price：9.90\n    kind: course\n")
        found = folder.problems()[0]
        assert (found.file, found.line) == ("products.yaml", 3)
        assert "not with '：'" in found.hint

    def test_for_a_comma_between_items_is_not_one_long_item(self, folder: Workshop) -> None:
        folder.replace("community.yaml", "tags: [tea]", "tags: [tea， slow-life]")
        found = folder.problems()[0]
        assert found.message == "has an item with '，' in it"

    def test_inside_a_quoted_item_is_a_text_like_any_other(self, folder: Workshop) -> None:
        folder.replace("community.yaml", "tags: [tea]", 'tags: ["茶，慢生活"]')
        assert folder.load().definition.tags == ("茶，慢生活",)
