"""Where the dashboards are, and how they are written."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from deploy.grafana import funnel
from deploy.grafana.panels import Json

FOLDER = Path(__file__).parent / "dashboards"
DASHBOARDS: Mapping[str, Json] = MappingProxyType({"funnel": funnel.DASHBOARD})


_LINE = 120
_INDENT = "  "


def rendered(name: str) -> str:
    """Give a dashboard as it is committed: JSON in which whatever fits on a line stands on one."""
    return _legible(DASHBOARDS[name], "") + "\n"


def _legible(value: Any, margin: str) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value or len(margin) + len(flat) <= _LINE:
        return flat
    inner = margin + _INDENT
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {_legible(item, inner)}" for key, item in value.items()]
        opening, closing = "{}"
    else:
        items = [_legible(item, inner) for item in value]
        opening, closing = "[]"
    body = f",\n{inner}".join(items)
    return f"{opening}\n{inner}{body}\n{margin}{closing}"


def write_dashboards() -> None:
    """Write all dashboards."""
    FOLDER.mkdir(exist_ok=True)
    for name in DASHBOARDS:
        (FOLDER / f"{name}.json").write_text(rendered(name), encoding="utf-8")
