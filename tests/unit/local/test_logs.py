"""Log files."""

from pathlib import Path

from shequn.local.logs import open_log, tail


class TestTail:
    def test_gives_the_last_lines_in_order(self, tmp_path: Path) -> None:
        log = tmp_path / "a.log"
        log.write_text("".join(f"line {number}\n" for number in range(100)))
        assert tail(log, lines=3) == ["line 97", "line 98", "line 99"]

    def test_leaves_out_what_stood_there_before(self, tmp_path: Path) -> None:
        log = tmp_path / "a.log"
        log.write_text("old\n")
        since = log.stat().st_size
        with open_log(log) as file:
            file.write(b"new\n")
        assert tail(log, since=since) == ["new"]

    def test_of_no_file_is_empty(self, tmp_path: Path) -> None:
        assert tail(tmp_path / "none.log") == []

    def test_survives_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        log = tmp_path / "a.log"
        log.write_bytes(b"good\n\xff\xfe\n")
        assert tail(log)[0] == "good"


class TestOpenLog:
    def test_appends(self, tmp_path: Path) -> None:
        log = tmp_path / "logs" / "a.log"
        for word in (b"one\n", b"two\n"):
            with open_log(log) as file:
                file.write(word)
        assert log.read_bytes() == b"one\ntwo\n"

    def test_sets_a_big_log_aside(self, tmp_path: Path) -> None:
        log = tmp_path / "a.log"
        log.write_bytes(b"x" * 10_000_001)
        with open_log(log) as file:
            file.write(b"fresh\n")
        assert log.read_bytes() == b"fresh\n"
        assert (tmp_path / "a.log.1").stat().st_size == 10_000_001
