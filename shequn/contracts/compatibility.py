"""Tells whether a newer JSON Schema still takes what the older one took.

A reader of today must read the events of yesterday: a field may be added when it is optional, a limit may be widened.
Removing, renaming, narrowing or newly requiring breaks; that needs a new ``.v2`` type beside the old one.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_UPPER_LIMITS = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_LOWER_LIMITS = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Name what an event that was valid under ``old`` could fail at under ``new``.

    Args:
        old: a JSON Schema as pydantic writes it, with its ``$defs``.
        new: the schema that shall replace it.
    """
    return list(_compare(old, new, old.get("$defs", {}), new.get("$defs", {}), "event", frozenset()))


def _compare(
    old: Schema, new: Schema, old_defs: Schema, new_defs: Schema, path: str, seen: frozenset[tuple[str, str]]
) -> Iterator[str]:
    pair = (old.get("$ref", ""), new.get("$ref", ""))
    if pair != ("", ""):
        if pair in seen:
            return
        seen |= {pair}
    old, new = _resolve(old, old_defs), _resolve(new, new_defs)
    if new in ({}, {"title": new.get("title")}):
        return  # takes anything
    yield from _compare_choices(old, new, old_defs, new_defs, path, seen)
    yield from _compare_limits(old, new, path)
    yield from _compare_objects(old, new, old_defs, new_defs, path, seen)
    if "items" in old and "items" in new:
        yield from _compare(old["items"], new["items"], old_defs, new_defs, f"{path}[]", seen)
    extra_old, extra_new = old.get("additionalProperties"), new.get("additionalProperties")
    if isinstance(extra_old, dict) and isinstance(extra_new, dict):
        yield from _compare(extra_old, extra_new, old_defs, new_defs, f"{path}.*", seen)


def _resolve(schema: Schema, defs: Schema) -> Schema:
    while "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    return schema


def _choices(schema: Schema) -> list[Schema]:
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return list(schema[word])
    return [schema]


def _compare_choices(
    old: Schema, new: Schema, old_defs: Schema, new_defs: Schema, path: str, seen: frozenset[tuple[str, str]]
) -> Iterator[str]:
    old_choices, new_choices = _choices(old), _choices(new)
    if old_choices == [old] and new_choices == [new]:
        yield from _compare_kinds(old, new, path)
        return
    for choice in old_choices:
        fits = (not list(_compare(choice, other, old_defs, new_defs, path, seen)) for other in new_choices)
        if not any(fits):
            yield f"{path}: no longer takes {_name(choice)}"


def _compare_kinds(old: Schema, new: Schema, path: str) -> Iterator[str]:
    if old.get("type") != new.get("type") and not (old.get("type") == "integer" and new.get("type") == "number"):
        yield f"{path}: the type was {old.get('type')} and is {new.get('type')}"
    old_values, new_values = _values(old), _values(new)
    if new_values is not None and (old_values is None or not old_values <= new_values):
        gone = sorted(map(str, (old_values or set()) - new_values)) or ["any other value"]
        yield f"{path}: no longer takes {', '.join(gone)}"


def _values(schema: Schema) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _compare_limits(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for word in _UPPER_LIMITS:
        if word in new and new[word] < old.get(word, float("inf")):
            yield f"{path}: {word} was {old.get(word, 'unlimited')} and is {new[word]}"
    for word in _LOWER_LIMITS:
        if word in new and new[word] > old.get(word, float("-inf")):
            yield f"{path}: {word} was {old.get(word, 'unlimited')} and is {new[word]}"
    for word in ("pattern", "format"):
        if word in new and new[word] != old.get(word):
            yield f"{path}: {word} was {old.get(word, 'free')} and is {new[word]}"


def _compare_objects(
    old: Schema, new: Schema, old_defs: Schema, new_defs: Schema, path: str, seen: frozenset[tuple[str, str]]
) -> Iterator[str]:
    old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
    for name in sorted(set(old_fields) - set(new_fields)):
        yield f"{path}.{name}: removed or renamed"
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{path}.{name}: newly required"
    for name in sorted(set(old_fields) & set(new_fields)):
        yield from _compare(old_fields[name], new_fields[name], old_defs, new_defs, f"{path}.{name}", seen)


def _name(schema: Schema) -> str:
    return str(schema.get("$ref", "").rpartition("/")[2] or schema.get("type") or schema.get("const") or schema)
