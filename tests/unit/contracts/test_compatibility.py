from typing import Any

import pytest

from shequn.contracts.compatibility import breaking_changes


def obj(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


TEXT = {"type": "string", "maxLength": 10}
NUMBER = {"type": "integer", "minimum": 0}
REFERENCE = {"$ref": "#/$defs/Part"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (obj(a=TEXT), obj(a=TEXT)),
        (obj(a=TEXT), obj(a=TEXT, b=NUMBER)),
        (obj(("a",), a=TEXT), obj(a=TEXT)),
        (obj(a=TEXT), obj(a={"type": "string", "maxLength": 20})),
        (obj(a=TEXT), obj(a={"type": "string"})),
        (obj(a=NUMBER), obj(a={"type": "number"})),
        (obj(a={"enum": ["x"], "type": "string"}), obj(a={"enum": ["x", "y"], "type": "string"})),
        (obj(a=TEXT), obj(a={"anyOf": [TEXT, {"type": "null"}]})),
        (obj(a=TEXT), obj(a={})),
        (
            {**obj(a=REFERENCE), "$defs": {"Part": obj(b=TEXT)}},
            {**obj(a=REFERENCE), "$defs": {"Part": obj(b=TEXT, c=TEXT)}},
        ),
    ],
)
def test_what_readers_survive(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert breaking_changes(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (obj(a=TEXT), obj(b=TEXT), "event.a: removed or renamed"),
        (obj(a=TEXT), obj(("a",), a=TEXT), "event.a: newly required"),
        (obj(a=TEXT), obj(a={"type": "string", "maxLength": 9}), "event.a: maxLength was 10 and is 9"),
        (obj(a={"type": "string"}), obj(a=TEXT), "event.a: maxLength was unlimited and is 10"),
        (obj(a=NUMBER), obj(a={"type": "integer", "minimum": 1}), "event.a: minimum was 0 and is 1"),
        (obj(a=TEXT), obj(a=NUMBER), "event.a: the type was string and is integer"),
        (obj(a={"type": "number"}), obj(a=NUMBER), "event.a: the type was number and is integer"),
        (obj(a={"enum": ["x", "y"], "type": "string"}), obj(a={"enum": ["x"], "type": "string"}), "no longer takes y"),
        (obj(a={"type": "string"}), obj(a={"const": "x", "type": "string"}), "no longer takes any other value"),
        (obj(a={"anyOf": [TEXT, {"type": "null"}]}), obj(a=TEXT), "event.a: no longer takes null"),
        (obj(a={"type": "string"}), obj(a={"type": "string", "pattern": "^x"}), "pattern was free and is ^x"),
        (obj(a={"type": "array", "items": TEXT}), obj(a={"type": "array", "items": NUMBER}), "event.a[]: the type was"),
        (
            {**obj(a=REFERENCE), "$defs": {"Part": obj(b=TEXT)}},
            {**obj(a=REFERENCE), "$defs": {"Part": obj(c=TEXT)}},
            "event.a.b: removed or renamed",
        ),
    ],
)
def test_what_breaks_readers(old: dict[str, Any], new: dict[str, Any], said: str) -> None:
    assert any(said in change for change in breaking_changes(old, new))


def test_a_recursive_schema_ends() -> None:
    tree = {"$defs": {"Node": obj(child={"$ref": "#/$defs/Node"})}, "$ref": "#/$defs/Node"}
    assert breaking_changes(tree, tree) == []
