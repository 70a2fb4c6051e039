"""Reads the committed dashboards as Grafana does."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.grafana.files import FOLDER


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """A query, and the panel it is of."""

    title: str
    ref: str
    expr: str

    def __str__(self) -> str:
        return f"{self.title.rpartition('/')[2].strip()} {self.ref}"


def dashboard(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def panels(name: str) -> list[dict[str, Any]]:
    """The panels that show something: rows are only titles."""
    return [panel for panel in dashboard(name)["panels"] if panel["type"] != "row"]


def queries(name: str) -> list[PanelQuery]:
    return [
        PanelQuery(panel["title"], target["refId"], target["expr"])
        for panel in panels(name)
        for target in panel["targets"]
    ]


def expression(name: str, title: str, ref: str = "A") -> str:
    """The query of the panel with that English title."""
    return next(found.expr for found in queries(name) if str(found) == f"{title} {ref}")


def variable_queries(name: str) -> Iterator[tuple[str, str]]:
    """Each variable with the selector and label that fill it: ``label_values(metric{…}, label)``."""
    for variable in dashboard(name)["templating"]["list"]:
        selector, _, label = variable["definition"].removeprefix("label_values(").removesuffix(")").rpartition(", ")
        yield selector, label
