"""The committed JSON Schemas of all events: written here, guarded by a test."""

import json
from pathlib import Path
from typing import Any

from shequn.contracts.compatibility import breaking_changes
from shequn.contracts.dead import DeadLetter
from shequn.contracts.registry import EVENTS

FOLDER = Path(__file__).parent / "schemas"
MODELS: dict[str, Any] = {event.TYPE: event for event in EVENTS} | {"dead.letter.v1": DeadLetter}


class BreakingChangeError(Exception):
    """A contract changed so that events which were valid no longer are."""

    def __init__(self, changes: dict[str, list[str]]) -> None:
        """List the changes by event type."""
        lines = [f"{name}: {change}" for name, of_type in changes.items() for change in of_type]
        super().__init__("these changes break readers; add a new version of the type instead:\n" + "\n".join(lines))


def schema_of(name: str) -> dict[str, Any]:
    """Give the current JSON Schema of an event type."""
    schema: dict[str, Any] = MODELS[name].model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:shequn:{name}", **schema}


def committed(name: str) -> dict[str, Any] | None:
    """Give the committed schema of an event type; none when it is new."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        return None
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def breaks() -> dict[str, list[str]]:
    """Name what breaks readers, by event type: changed contracts, and types that are gone."""
    found = {
        name: changes
        for name in MODELS
        if (old := committed(name)) is not None and (changes := breaking_changes(old, schema_of(name)))
    }
    gone = {path.stem for path in FOLDER.glob("*.json")} - set(MODELS)
    return found | {name: ["the type is gone"] for name in sorted(gone)}


def rendered(name: str) -> str:
    """Give the text of a schema's file."""
    return json.dumps(schema_of(name), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def write() -> None:
    """Write the schemas of all types.

    Raises:
        BreakingChangeError: some change breaks readers; nothing is written.
    """
    if changes := breaks():
        raise BreakingChangeError(changes)
    FOLDER.mkdir(exist_ok=True)
    for name in MODELS:
        (FOLDER / f"{name}.json").write_text(rendered(name), encoding="utf-8")
