"""What all parts of the compiler share: the report, and what the other files hold."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from shequn.contracts.definitions.values import LocalizedText
from shequn.definitions.errors import Report
from shequn.definitions.hints import did_you_mean
from shequn.definitions.scalars import is_name
from shequn.definitions.source import Data, Place
from shequn.definitions.surface.texts import PointsBlock, TextBlock

C = TypeVar("C", bound=BaseModel)

NOT_ACTED_ON = "kept, but no service acts on it yet"

_LANGUAGE_NAMES = {"zh": "Chinese", "en": "English"}


@dataclass
class Context:
    """What the parts of a community know of each other while they are compiled.

    What cannot be told because its file or block is faulty is none, and checks that need it are held back: the fault
    is reported, and its consequences would hide it.

    Attributes:
        report: takes problems and notices.
        languages: in which every text must be there; empty while they are not known.
        currency_digits: decimals of the currency; none while it is not known.
        products: ids of the products, also of those that are faulty, so that one error does not cause others;
            none when they cannot be told.
        messages: ids of the messages, likewise.
        kinds: kinds that have a word list, likewise.
        extras: what is kept although no service acts on it.
        sent: ids of the messages that something sends.
        promised: for each message a funnel sends, whether every step that sends it makes an offer.
        unfixed: products without one price: seats have several, or the buyer decides.
        unpriced: messages that offer such a product.
    """

    report: Report
    languages: tuple[str, ...] = ()
    currency_digits: int | None = None
    products: frozenset[str] | None = frozenset()
    messages: frozenset[str] | None = frozenset()
    kinds: frozenset[str] | None = frozenset()
    extras: dict[str, JsonValue] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    promised: dict[str, bool] = field(default_factory=dict)
    unfixed: frozenset[str] = frozenset()
    unpriced: set[str] = field(default_factory=set)

    def text(self, written: str | TextBlock | None, place: Place) -> LocalizedText:
        """Compile a text, and report the languages it lacks."""
        if written is None:
            return LocalizedText()
        if isinstance(written, str):
            return self._in_one_language(written, place)
        self._require_languages(written, place)
        return self._localized(place, zh=written.zh, en=written.en)

    def points(self, written: tuple[str, ...] | PointsBlock | None, place: Place) -> LocalizedText:
        """Compile an announcement of at most three points to one text with numbered lines."""
        if written is None:
            return LocalizedText()
        if isinstance(written, tuple):
            return self._in_one_language(_numbered(written, place), place)
        self._require_languages(written, place)
        return self._localized(
            place,
            zh=_numbered(written.zh, place / "zh") if written.zh else None,
            en=_numbered(written.en, place / "en") if written.en else None,
        )

    def refer(self, noun: str, written: str, known: Collection[str] | None, place: Place) -> bool:
        """Tell whether something named exists; report it when not. With ``known`` none, everything may exist."""
        if known is None or written in known:
            return True
        hint = did_you_mean(written, known)
        if noun == "message" and not hint.startswith("did"):
            hint = f"add messages/{written}.yaml"
        place.problem(f"no {noun} {written!r}", hint)
        return False

    def keep(self, key: str, place: Place) -> None:
        """Keep a part that no service acts on, and say so."""
        self.extras[key] = plain(place.source.at(place.path))
        place.notice(NOT_ACTED_ON)

    def build(self, model: type[C], place: Place, **fields: Any) -> C | None:
        """Make a compiled model; what it refuses is reported. Gives none then."""
        try:
            return model(**fields)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                named = ".".join(str(part) for part in details["loc"])
                place.problem(f"{named}: {details['msg']}" if named else details["msg"])
            return None

    def _localized(self, place: Place, **texts: str | None) -> LocalizedText:
        return self.build(LocalizedText, place, **texts) or LocalizedText()

    def _in_one_language(self, written: str, place: Place) -> LocalizedText:
        if len(self.languages) > 1:
            wanted = ", ".join(f"{language}: …" for language in self.languages)
            place.problem("is written in one language only", f"write {{{wanted}}}")
        language = "en" if self.languages == ("en",) else "zh"
        return self._localized(place, **{language: written})

    def _require_languages(self, written: TextBlock | PointsBlock, place: Place) -> None:
        block = place.source.at(place.path)
        faulty = {key for key, value in block.items() if value is not None} if isinstance(block, dict) else set()
        for language in self.languages:
            if not getattr(written, language) and language not in faulty:
                place.problem(
                    f"has no {_LANGUAGE_NAMES[language]} text",
                    f"add `{language}:`, or remove {language} from `languages` in community.yaml",
                )


def _numbered(points: tuple[str, ...], place: Place) -> str:
    if len(points) > 3:  # noqa: PLR2004  # DOMAIN §3: nobody reads a fourth
        place.problem(f"has {len(points)} points", "keep to three: nobody reads a fourth")
    return "\n".join(f"{number}. {point}" for number, point in enumerate(points, start=1))


def plain(data: Data) -> JsonValue:
    """Give data as JSON: amounts become texts, so that no digit is lost."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [plain(value) for value in data]
    if isinstance(data, Decimal):
        return str(data)
    return int(data) if isinstance(data, int) and not isinstance(data, bool) else data


def ids_in(data: Data, key: str, name: str = "id") -> frozenset[str] | None:
    """Collect the ids in a list of blocks as they are written, whether the blocks are valid or not.

    None when a block's id cannot be told: then what other files name may be just that block.
    """
    items = data.get(key, []) if isinstance(data, dict) else []
    if not isinstance(items, list):
        return None
    return _names(item.get(name) if isinstance(item, dict) else None for item in items)


def names_in(data: Data, key: str) -> frozenset[str] | None:
    """Collect the names in a block as they are written, whether what they name is valid or not; else as ``ids_in``."""
    block = data.get(key, {}) if isinstance(data, dict) else {}
    return _names(block) if isinstance(block, dict) else None


def _names(written: Iterable[object]) -> frozenset[str] | None:
    names = list(written)
    return frozenset(map(str, names)) if all(map(is_name, names)) else None


def report_duplicates(noun: str, ids: Mapping[int, str], place: Place, key: str = "id") -> None:
    """Report ids that stand twice in a list.

    Args:
        noun: what has the ids.
        ids: id by position.
        place: the list.
        key: the field that holds the id.
    """
    first: dict[str, int] = {}
    for position, name in ids.items():
        if name in first:
            line = (place / first[name]).line
            (place / position / key).problem(
                f"{noun} {name!r} is defined twice", f"the first is on line {line}; rename one"
            )
        else:
            first[name] = position
