from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from shequn.adapters import AdapterEnvironment, AdapterRegistry, Executes, Receives, Runs
from shequn.adapters.errors import AdapterBrokenError, AdapterDuplicateError, AdapterMissingError
from shequn.runtime.clock import SystemClock
from tests.unit.adapters import plugins

HERE = "tests.unit.adapters.plugins"


def point(name: str, target: str) -> EntryPoint:
    return EntryPoint(name, target, "shequn.adapters")


def registry(*points: EntryPoint) -> AdapterRegistry:
    return AdapterRegistry(installed=points)


ENVIRONMENT = AdapterEnvironment("web", Path(), SystemClock())


class TestFinding:
    def test_an_installed_adapter_loads(self) -> None:
        assert registry(point("plain", f"{HERE}:PlainAdapter")).load("plain") is plugins.PlainAdapter

    def test_a_built_in_one_that_is_also_installed_is_one(self) -> None:
        both = AdapterRegistry({"plain": f"{HERE}:PlainAdapter"}, [point("plain", f"{HERE}:PlainAdapter")])
        assert both.names == ("plain",)

    def test_a_missing_one_is_named_with_what_there_is(self) -> None:
        with pytest.raises(AdapterMissingError, match=r"'fancy'.*plain"):
            registry(point("plain", f"{HERE}:PlainAdapter")).load("fancy")

    def test_two_under_one_name_are_refused(self) -> None:
        with pytest.raises(AdapterDuplicateError, match="other:Plain"):
            registry(point("plain", f"{HERE}:PlainAdapter"), point("plain", "other:Plain"))

    @pytest.mark.parametrize(
        ("target", "why"),
        [
            ("nowhere.to.be.found:Adapter", "ModuleNotFoundError"),
            (f"{HERE}:Nothing", "AttributeError"),
            (f"{HERE}:Stranger", "no subclass"),
            (f"{HERE}:Bare", "no manifest"),
            (f"{HERE}:PlainAdapter", "no manifest with that name"),
        ],
    )
    def test_a_broken_one_says_why(self, target: str, why: str) -> None:
        with pytest.raises(AdapterBrokenError, match=why):
            registry(point("broken", target)).load("broken")

    def test_our_own_load(self) -> None:
        from services.intake.adapters import BUILTIN

        ours = AdapterRegistry(BUILTIN, [])
        assert [ours.load(name).manifest.name for name in ours.names] == list(ours.names)

    def test_our_own_are_those_of_the_project_file(self) -> None:
        import tomllib

        from services.intake.adapters import BUILTIN

        project = tomllib.loads(Path(__file__).parents[3].joinpath("pyproject.toml").read_text())
        assert project["project"]["entry-points"]["shequn.adapters"] == BUILTIN


class TestMaking:
    plain = registry(point("plain", f"{HERE}:PlainAdapter"))

    def test_settings_are_validated(self) -> None:
        made = self.plain.make("plain", {"token": "t", "lines": 3}, ENVIRONMENT)
        assert made.settings.lines == 3

    @pytest.mark.parametrize("settings", [{"token": "secret-a", "lines": "secret-b"}, {"token": ["secret-a"]}])
    def test_wrong_settings_are_named_and_never_shown(self, settings: dict[str, object]) -> None:
        with pytest.raises(AdapterBrokenError) as refused:
            self.plain.make("plain", settings, ENVIRONMENT)
        assert "secret" not in str(refused.value)
        assert refused.value.__cause__ is None

    def test_a_capability_is_asked_for(self) -> None:
        made = self.plain.make("plain", {"token": "t"}, ENVIRONMENT)
        assert not isinstance(made, Receives | Executes | Runs)
