"""What every bench reports: figures with their bars, and the machine they were measured on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure should reach, at least or at most; without either the figure is shown among those with bars."""

    least: float | None = None
    most: float | None = None

    def is_met(self, value: float) -> bool:
        """Tell whether a value reaches it."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        if self.least is not None:
            return f"≥ {self.least:,g}"
        return f"≤ {self.most:,g}" if self.most is not None else ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity, with a value for every round.

    Attributes:
        unit: of the values: ``events/s``, ``ms``, ``MB``; empty for a ratio.
        values: one a round, at least one.
        bar: what the median should reach; none for figures that only explain.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    bar: Bar | None = None

    @property
    def median(self) -> float:
        """The middle value."""
        return median(self.values)

    @property
    def missed(self) -> bool:
        """Whether the median does not reach the bar."""
        return self.bar is not None and not self.bar.is_met(self.median)

    def to_json(self) -> dict[str, Any]:
        """Give median, least and greatest value, and the unit."""
        low, high = min(self.values), max(self.values)
        return {"median": _rounded(self.median), "min": _rounded(low), "max": _rounded(high), "unit": self.unit}


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a bench.

    Attributes:
        bench: its name.
        figures: what was measured, the figures with bars first.
        machine: where (see :mod:`bench.machine`).
        notes: what else a reader must know to compare: input, sizes.
    """

    bench: str
    figures: Sequence[Figure]
    machine: dict[str, Any]
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def missed(self) -> list[Figure]:
        """The figures that do not reach their bars."""
        return [figure for figure in self.figures if figure.missed]

    def to_json(self) -> str:
        """Give the report as one line."""
        figures = {figure.name: figure.to_json() for figure in self.figures}
        document = {"bench": self.bench, "figures": figures, "machine": self.machine, **self.notes}
        return json.dumps(document, ensure_ascii=False)

    def table(self) -> Table:
        """Give the report for people."""
        table = Table("figure", title=f"bench {self.bench}", caption=_caption({**self.machine, **self.notes}))
        for column in ("median", "min", "max"):
            table.add_column(column, justify="right")
        for column in ("unit", "bar", ""):
            table.add_column(column)
        for figure in self.figures:
            values = (f"{_rounded(value):,}" for value in (figure.median, min(figure.values), max(figure.values)))
            table.add_row(figure.name, *values, figure.unit, str(figure.bar or ""), _verdict(figure))
        return table


def collect(rounds: Sequence[dict[str, float]], units: dict[str, str], bars: dict[str, Bar]) -> list[Figure]:
    """Make figures of the values of all rounds.

    Args:
        rounds: for each round the values by figure.
        units: by figure, or by how its name begins; without one it has none.
        bars: by figure; those figures come first, in this order.

    Raises:
        KeyError: a figure with a bar was not measured.
    """
    names = [*bars, *(name for name in rounds[0] if name not in bars)]
    return [
        Figure(name, unit_of(name, units), tuple(values[name] for values in rounds), bars.get(name)) for name in names
    ]


def unit_of(name: str, units: dict[str, str]) -> str:
    """Give the unit of a figure: that of the longest beginning or end of its name that has one."""
    fitting = [part for part in units if name.startswith(part) or name.endswith(part)]
    return units[max(fitting, key=len)] if fitting else ""


def _rounded(value: float) -> float:
    """Keep four digits: a bench on a shared machine has no more."""
    return float(f"{value:.4g}")


def _verdict(figure: Figure) -> str:
    if not str(figure.bar or ""):
        return ""
    return "[red]missed[/red]" if figure.missed else "[green]met[/green]"


def _caption(facts: dict[str, Any]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in facts.items())
