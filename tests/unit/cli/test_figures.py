"""Figures read from metrics pages."""

from shequn.cli.figures import Figures


def series(**labels: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


FIGURES = Figures(
    {
        "orders": {
            series(community="a", product="x"): 2,
            series(community="a", product="y"): 3,
            series(community="b"): 9,
        },
        "age_bucket": {series(le="0.1"): 5, series(le="0.2"): 9, series(le="+Inf"): 10},
    }
)


class TestFigures:
    def test_total_adds_up_the_wanted_series(self) -> None:
        assert FIGURES.total("orders", community="a") == 5

    def test_by_splits_by_a_label(self) -> None:
        assert FIGURES.by("orders", "product", community="a") == {"x": 2, "y": 3}

    def test_a_metric_nobody_shows_is_nothing(self) -> None:
        assert FIGURES.total("unknown") == 0

    def test_a_quantile_lies_linearly_inside_its_bucket(self) -> None:
        assert FIGURES.quantile("age", 0.7) == 0.1 + 0.1 * 2 / 4

    def test_a_quantile_in_the_last_bucket_is_its_lower_bound(self) -> None:
        assert FIGURES.quantile("age", 0.99) == 0.2

    def test_a_quantile_of_nothing_is_none(self) -> None:
        assert FIGURES.quantile("unknown", 0.5) is None
