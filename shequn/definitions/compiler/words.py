"""Word lists: from ``words:`` in community.yaml, and from ``words/KIND.txt`` with one word a line."""

from collections.abc import Mapping

from shequn.definitions.source import Place

LEXICAL = frozenset(
    {
        "ads",
        "attack",
        "donation-begging",
        "drugs",
        "gambling",
        "head-dragging",
        "politics",
        "porn",
        "religion",
        "rumour",
        "scam",
        "vote-begging",
    }
)
"""Kinds of messages that groups usually forbid (DOMAIN §3) and that only a word list can find."""

LINK_KINDS = frozenset({"bare-link", "link"})
"""Kinds that need no list: a link without a sentence that explains it, and any link."""


def read_list(text: str, place: Place) -> tuple[str, ...]:
    """Read a list file: one word a line; lines that begin with ``#`` are remarks."""
    words = [line.strip() for line in text.splitlines()]
    kept = [word for word in words if word and not word.startswith("#")]
    if not kept:
        place.problem("has no word", "write one word a line, or remove the file")
    if any("\0" in word for word in kept):
        place.problem("has a character that cannot be stored", "remove the NUL character")
    return tuple(kept)


def merge_lists(
    written: Mapping[str, tuple[str, ...]], place: Place, files: Mapping[str, tuple[tuple[str, ...], Place]]
) -> dict[str, tuple[str, ...]]:
    """Put the lists of each kind together, without repetitions.

    Args:
        written: lists of community.yaml by kind.
        place: where those stand.
        files: lists of files by kind, with the place of the file.
    """
    lists: dict[str, dict[str, None]] = {}
    places = {kind: place / kind for kind in written} | {kind: here for kind, (_, here) in files.items()}
    for kind, words in [*written.items(), *((kind, words) for kind, (words, _) in files.items())]:
        lists.setdefault(kind, {}).update(dict.fromkeys(words))
    for kind, merged in lists.items():
        _check(kind, merged, places[kind])
    return {kind: tuple(words) for kind, words in lists.items()}


def _check(kind: str, words: Mapping[str, None], place: Place) -> None:
    if kind in LINK_KINDS:
        place.problem(f"{kind!r} needs no word list", "remove it; name it in `forbid`")
    for word in words:
        if len(word) == 1 and word.isascii():
            place.problem(f"the word {word!r} stands in nearly every message", "write longer words")
