"""Building blocks of dashboards: queries, panels, rows, variables.

A panel says what it shows; :func:`laid_out` gives it its place and number. Titles are bilingual: ``中文 / English``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

Json = dict[str, Any]

DATASOURCE: Json = {"type": "prometheus", "uid": "prometheus"}
_COLUMNS = 24
_ROW_HEIGHT = 1


@dataclass(frozen=True, slots=True)
class Query:
    """An expression of PromQL.

    Attributes:
        expr: the expression; may hold the dashboard's variables.
        legend: how its series are named, ``{{label}}`` stands for a label's value.
    """

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        kind: Grafana's panel type.
        title: in Chinese and English.
        text: what a reader needs to know of the figure.
        queries: what it shows.
        width: columns of 24.
        height: units of 30 pixels.
        over_time: whether it draws the time range, or shows the latest values.
        unit: Grafana's unit.
        decimals: digits after the point.
        most: the end of the scale.
        options: further options of the panel type.
        custom: how lines are drawn.
        repeat: the variable for each of whose values the panel is drawn once.
    """

    kind: str
    title: str
    text: str
    queries: Sequence[Query]
    width: int = 8
    height: int = 8
    over_time: bool = False
    unit: str = "short"
    decimals: int = 0
    most: float | None = None
    options: Json | None = None
    custom: Json | None = None
    repeat: str | None = None


def stat(title: str, text: str, expr: str, *, unit: str = "short", decimals: int = 0) -> Panel:
    """One number, with a spark line of the time range."""
    options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "area", "colorMode": "none"}
    queries = (Query(expr),)
    return Panel("stat", title, text, queries, 3, 4, over_time=True, unit=unit, decimals=decimals, options=options)


def bars(title: str, text: str, *queries: Query, width: int = 8, unit: str = "short", decimals: int = 0) -> Panel:
    """The latest value of each series as a horizontal bar."""
    options = {
        "orientation": "horizontal",
        "displayMode": "basic",
        "valueMode": "text",
        "showUnfilled": True,
        "reduceOptions": {"calcs": ["lastNotNull"]},
    }
    most = 1.0 if unit == "percentunit" else None
    return Panel("bargauge", title, text, queries, width, unit=unit, decimals=decimals, most=most, options=options)


def lines(title: str, text: str, *queries: Query, width: int = 8, unit: str = "short", decimals: int = 0) -> Panel:
    """Series over time."""
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    custom = {"lineWidth": 2, "fillOpacity": 5, "spanNulls": True}
    return Panel(
        "timeseries",
        title,
        text,
        queries,
        width,
        over_time=True,
        unit=unit,
        decimals=decimals,
        options=options,
        custom=custom,
    )


def stacked(panel: Panel) -> Panel:
    """Draw the series of a panel of lines on top of each other."""
    return replace(panel, custom={**(panel.custom or {}), "fillOpacity": 30, "stacking": {"mode": "normal"}})


def repeated(panel: Panel, variable: str) -> Panel:
    """Draw a panel once for each value of a variable."""
    return replace(panel, repeat=variable)


def variable(name: str, label: str, query: str, *, several: bool = False) -> Json:
    """A variable of the dashboard, filled by a query for label values."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
        "current": {"text": ["All"], "value": ["$__all"]} if several else {},
    }


def laid_out(rows: Iterable[tuple[str, Sequence[Panel]]]) -> list[Json]:
    """Number the panels and place them in rows, from left to right.

    Args:
        rows: title and panels of each row; a row that is full goes on below.
    """
    placed: list[Json] = []
    top = 0
    for title, panels in rows:
        place = {"x": 0, "y": top, "w": _COLUMNS, "h": _ROW_HEIGHT}
        placed.append({"id": len(placed) + 1, "type": "row", "title": title, "gridPos": place, "panels": []})
        top += _ROW_HEIGHT
        left = height = 0
        for panel in panels:
            if left + panel.width > _COLUMNS:
                top, left, height = top + height, 0, 0
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            placed.append(_as_json(panel, len(placed) + 1, place))
            left, height = left + panel.width, max(height, panel.height)
        top += height
    return placed


def _as_json(panel: Panel, number: int, place: Json) -> Json:
    defaults: Json = {"unit": panel.unit, "decimals": panel.decimals, "min": 0}
    if panel.most is not None:
        defaults["max"] = panel.most
    if panel.custom is not None:
        defaults["custom"] = panel.custom
    repeat = {"repeat": panel.repeat, "repeatDirection": "h"} if panel.repeat else {}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "gridPos": place,
        **repeat,
        "datasource": DATASOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "expr": query.expr,
                "legendFormat": query.legend or "__auto",
                "instant": not panel.over_time,
                "range": panel.over_time,
            }
            for index, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": panel.options or {},
    }
