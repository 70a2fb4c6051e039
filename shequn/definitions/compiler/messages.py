"""Compile ``messages/*.yaml``."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from shequn.contracts.definitions.messages import (
    FUNNEL_PLACEHOLDERS,
    MODERATION_MESSAGES,
    MODERATION_PLACEHOLDERS,
    OFFER_PLACEHOLDERS,
)
from shequn.contracts.definitions.values import LocalizedText
from shequn.definitions.compiler.context import Context, names_in
from shequn.definitions.hints import did_you_mean
from shequn.definitions.scalars import is_name
from shequn.definitions.source import Data, Place, Source
from shequn.definitions.surface.message import MessageFile
from shequn.definitions.surface.texts import TextBlock

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def stem(source: Source) -> str:
    """Give the name of a file without folder and ending: the id of a message that has a file of its own."""
    return PurePosixPath(source.name).stem


def message_ids(source: Source) -> frozenset[str] | None:
    """Collect the ids a file holds, whether the messages are valid or not; none when they cannot be told."""
    if isinstance(source.data, dict) and "messages" in source.data:
        return names_in(source.data, "messages")
    return frozenset({stem(source)}) if is_name(stem(source)) else None


def compile_messages(files: Iterable[tuple[MessageFile, Place]], context: Context) -> dict[str, LocalizedText]:
    """Compile all message files."""
    texts: dict[str, LocalizedText] = {}
    places: dict[str, Place] = {}
    for file, top in files:
        for name, written, place in _entries(file, top):
            if not is_name(name):
                place.problem(f"{name!r} is not a name", "use lower case letters, digits, - and _; at most 64")
            elif name in places:
                first = places[name]
                place.problem(f"message {name!r} is defined twice", f"the first is in {first.source.name}:{first.line}")
            else:
                texts[name], places[name] = context.text(written, place), place
    for name, text in texts.items():
        _check_use(name, text, places[name], context)
    return texts


def _entries(file: MessageFile, top: Place) -> Iterator[tuple[str, str | TextBlock, Place]]:
    alone = TextBlock(zh=file.zh, en=file.en)
    if file.messages is None:
        if alone.zh or alone.en:
            yield stem(top.source), alone, top
        elif not _says_something(top.source.data):
            top.problem("has no text", "add `zh:` and `en:`")
        return
    if alone.zh or alone.en:
        (top / "messages").problem("stands beside a message", "move the other one to a file of its own")
    for name, written in file.messages.items():
        yield name, written, top / "messages" / name


def _says_something(data: Data) -> bool:
    return isinstance(data, dict) and any(data.get(key) is not None for key in ("zh", "en", "messages"))


def _check_use(name: str, text: LocalizedText, place: Place, context: Context) -> None:
    if name in MODERATION_MESSAGES:
        _check_placeholders(text, MODERATION_PLACEHOLDERS, place)
        return
    _check_placeholders(text, FUNNEL_PLACEHOLDERS, place)
    if name not in context.sent:
        place.notice("no step sends this message")
    elif not context.promised.get(name, False):
        for written in sorted(_written(text) & OFFER_PLACEHOLDERS):
            place.problem(f"{{{written}}} belongs to an offer, but a step sends this message without one", "remove it")
    elif name in context.unpriced and "price" in _written(text):
        place.problem("{price} has no value: the offered product has no single price", "write the prices out")


def _check_placeholders(text: LocalizedText, known: Mapping[str, str], place: Place) -> None:
    for written in sorted(_written(text) - set(known)):
        place.problem(f"unknown placeholder {{{written}}}", did_you_mean(written, known))
    for language, words in (("zh", text.zh), ("en", text.en)):
        rest = _PLACEHOLDER.sub("", words or "")
        if "{" in rest or "}" in rest:
            here = place / language if isinstance(place.source.at((*place.path, language)), str) else place
            here.problem(
                "has a brace that belongs to no placeholder", "write placeholders as {name}, other brackets as ( )"
            )


def _written(text: LocalizedText) -> set[str]:
    return {match for words in (text.zh, text.en) for match in _PLACEHOLDER.findall(words or "")}
