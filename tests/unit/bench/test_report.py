"""What a bench reports."""

import json

import pytest
from rich.console import Console

from bench.report import Bar, Figure, Report, collect, unit_of


def report(*figures: Figure) -> Report:
    return Report("spine", figures, {"cpus": 2}, {"input": "generated"})


class TestBar:
    def test_at_least_is_met_by_more(self) -> None:
        assert Bar(least=4).is_met(4.1)

    def test_at_least_is_missed_by_less(self) -> None:
        assert not Bar(least=4).is_met(3.9)

    def test_at_most_is_missed_by_more(self) -> None:
        assert not Bar(most=25).is_met(25.1)

    def test_without_limits_is_always_met(self) -> None:
        assert Bar().is_met(-1)


class TestFigure:
    def test_is_judged_by_its_median(self) -> None:
        assert not Figure("p50", "ms", (10, 20, 90), Bar(most=25)).missed

    def test_gives_median_extremes_and_unit(self) -> None:
        assert Figure("p50", "ms", (30, 10, 20)).to_json() == {"median": 20, "min": 10, "max": 30, "unit": "ms"}

    def test_keeps_four_digits(self) -> None:
        assert Figure("rate", "events/s", (4_670.93,)).to_json()["median"] == 4_671


class TestReport:
    def test_is_one_line(self) -> None:
        assert "\n" not in report(Figure("p50", "ms", (1,))).to_json()

    def test_names_bench_figures_and_machine(self) -> None:
        document = json.loads(report(Figure("p50", "ms", (1,))).to_json())
        assert (document["bench"], set(document["figures"]), document["machine"]) == ("spine", {"p50"}, {"cpus": 2})

    def test_tells_its_input(self) -> None:
        assert json.loads(report().to_json())["input"] == "generated"

    def test_names_what_is_missed(self) -> None:
        slow, fast = Figure("slow", "ms", (30,), Bar(most=25)), Figure("fast", "ms", (3,), Bar(most=25))
        assert report(slow, fast).missed == [slow]

    @pytest.mark.parametrize(("value", "verdict"), [(3.0, "met"), (30.0, "missed")])
    def test_shows_people_whether_a_bar_is_met(self, value: float, verdict: str) -> None:
        console = Console(width=200, record=True, quiet=False, file=None)
        with console.capture() as captured:
            console.print(report(Figure("p50", "ms", (value,), Bar(most=25))).table())
        assert verdict in captured.get()


class TestCollect:
    ROUNDS = ({"seen_ms": 1.0, "rate": 10.0}, {"seen_ms": 3.0, "rate": 30.0})

    def test_gathers_the_values_of_all_rounds(self) -> None:
        assert {figure.name: figure.values for figure in collect(self.ROUNDS, {}, {})} == {
            "seen_ms": (1.0, 3.0),
            "rate": (10.0, 30.0),
        }

    def test_puts_figures_with_bars_first(self) -> None:
        assert [figure.name for figure in collect(self.ROUNDS, {}, {"rate": Bar(least=1)})] == ["rate", "seen_ms"]

    def test_refuses_a_bar_without_a_figure(self) -> None:
        with pytest.raises(KeyError):
            collect(self.ROUNDS, {}, {"unknown": Bar(least=1)})

    def test_finds_a_unit_by_the_end_of_a_name(self) -> None:
        assert unit_of("seen_ms", {"_ms": "ms"}) == "ms"

    def test_prefers_the_longer_hint(self) -> None:
        assert unit_of("cpu_percent_ms", {"_ms": "ms", "cpu_percent_": "%"}) == "%"
