"""JSON Schemas of the definition files, for editors and for other programs.

After the surface has changed, write them anew::

    python -c "from shequn.definitions import write_schemas; write_schemas()"
"""

import json
from pathlib import Path
from typing import Any

from shequn.definitions.surface.base import Surface
from shequn.definitions.surface.community import CommunityFile
from shequn.definitions.surface.funnel import FunnelFile
from shequn.definitions.surface.message import MessageFile
from shequn.definitions.surface.products import ProductsFile
from shequn.definitions.surface.referral import ReferralFile

SCHEMA_FOLDER = Path(__file__).parent / "schemas"

_FILES: dict[str, type[Surface]] = {
    "community": CommunityFile,
    "products": ProductsFile,
    "referral": ReferralFile,
    "funnel": FunnelFile,
    "message": MessageFile,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Give the JSON Schema of every kind of file."""
    return {name: _schema(model) for name, model in _FILES.items()}


def _schema(model: type[Surface]) -> dict[str, Any]:
    schema: dict[str, Any] = _without_defaults(model.model_json_schema())
    required = [*schema.get("required", []), *model.REQUIRED]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        **({"required": required} if required else {}),
    }


def _without_defaults(node: Any) -> Any:
    """Leave defaults out: they are values of the models, written otherwise than operators write them."""
    if isinstance(node, dict):
        return {key: _without_defaults(value) for key, value in node.items() if key != "default"}
    return [_without_defaults(item) for item in node] if isinstance(node, list) else node


def as_text(schema: dict[str, Any]) -> str:
    """Write a schema the way the files hold it."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def write_schemas(folder: Path = SCHEMA_FOLDER) -> list[Path]:
    """Write ``NAME.json`` for every kind of file into ``folder``. Gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, schema in schemas().items():
        path = folder / f"{name}.json"
        path.write_text(as_text(schema), encoding="utf-8")
        written.append(path)
    return written
