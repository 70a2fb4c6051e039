"""The command line of the benches."""

from typer.testing import CliRunner

from bench.__main__ import app


class TestCommandLine:
    def test_knows_the_spine(self) -> None:
        assert "spine" in CliRunner().invoke(app, ["--help"]).output

    def test_refuses_an_unknown_bench(self) -> None:
        assert CliRunner().invoke(app, ["nonsense"]).exit_code == 2

    def test_explains_its_options(self) -> None:
        assert "--strict" in CliRunner().invoke(app, ["spine", "--help"], env={"COLUMNS": "200"}).output
