"""The base of surface models, and validation that reports every finding with its place."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from shequn.definitions.errors import Report
from shequn.definitions.hints import did_you_mean
from shequn.definitions.source import Data, Path, Place, Source, child

T = TypeVar("T")
M = TypeVar("M", bound="Surface")


@dataclass
class _State:
    """What validators need to name a place: which file, and which model met which block of fields."""

    source: Source
    report: Report
    models: dict[int, type["Surface"]] = field(default_factory=dict)


class Surface(BaseModel):
    """A block of fields that an operator writes. Unknown fields are errors.

    Attributes:
        REFUSED: fields that are refused for a reason an operator should read, by name.
        REQUIRED: fields that have to be there. Models of whole files say it here instead of in the types, so that the
            rest of a file is still checked when one of them is wrong.
        NOUN: what a field of this block is called in messages.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    REFUSED: ClassVar[Mapping[str, str]] = {}
    REQUIRED: ClassVar[tuple[str, ...]] = ()
    NOUN: ClassVar[str] = "field"

    @model_validator(mode="before")
    @classmethod
    def _remember_the_model(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(info.context, _State) and isinstance(data, dict):
            info.context.models[id(data)] = cls
        return data

    @classmethod
    def names(cls) -> list[str]:
        """The names of the fields as operators write them."""
        return [info.alias or name for name, info in cls.model_fields.items()]


def _salvage(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Report what is wrong with one item of a list, and go on without it."""
    try:
        return handler(value)
    except ValidationError as error:
        state = info.context
        if not isinstance(state, _State) or id(value) not in state.source.paths:
            raise
        _report_all(error, state, state.source.paths[id(value)])
        return None


Item = Annotated[T, WrapValidator(_salvage)]
"""An item of a list. A faulty one is reported and becomes ``None``: read such lists through :func:`sound` only."""


def sound(items: Iterable[T | None] | None) -> Iterator[tuple[int, T]]:
    """Go through the items that are valid, each with its position in the file."""
    return ((position, item) for position, item in enumerate(items or ()) if item is not None)


def sound_fields(fields: Mapping[str, T | None] | None) -> Iterator[tuple[str, T]]:
    """Go through the fields that are valid, each with its name."""
    return ((name, item) for name, item in (fields or {}).items() if item is not None)


def validate(model: type[M], source: Source, report: Report) -> M:
    """Validate a file's contents. What is wrong is reported and left out of the result.

    Args:
        model: the model of the file; all its fields have defaults, :attr:`Surface.REQUIRED` names those it must have.
        source: the file.
        report: takes the problems.
    """
    state = _State(source, report)
    fields = dict(cast("dict[str, Data]", source.data))
    for name in model.REQUIRED:
        if name not in fields:
            report.problem(source.name, 1, name, "is missing", f"add `{name}:`")
    while True:
        source.paths[id(fields)] = ()
        try:
            return model.model_validate(fields, context=state)
        except ValidationError as error:
            _report_all(error, state, ())
            faulty = {str(details["loc"][0]) for details in error.errors(include_url=False) if details["loc"]}
            fields = {name: value for name, value in fields.items() if name not in faulty}


def _report_all(error: ValidationError, state: _State, base: Path) -> None:
    found = error.errors(include_url=False)
    locations = [details["loc"] for details in found]
    for details in found:
        if details["type"] == "too_short" and any(_is_inside(other, details["loc"]) for other in locations):
            continue  # it is short of the items that are faulty
        path = _path(state.source, base, details["loc"])
        place = Place(state.source, state.report, path)
        if details["type"] == "extra_forbidden":
            _report_unknown(place, state)
        else:
            place.problem(*_in_words(details, place))


def _is_inside(location: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(location) > len(outer) and location[: len(outer)] == outer


def _path(source: Source, base: Path, location: tuple[int | str, ...]) -> Path:
    """Turn pydantic's location, which names union members too, into a path of the file."""
    path, value = base, source.at(base)
    for position, key in enumerate(location):
        present = key in value if isinstance(value, dict) else isinstance(value, list) and isinstance(key, int)
        union_member = isinstance(key, str) and key.startswith(("<", "[key]"))
        absent = isinstance(value, dict) and isinstance(key, str) and position == len(location) - 1
        if present or (absent and not union_member):
            path, value = (*path, key), child(value, key)
    return path


def _report_unknown(place: Place, state: _State) -> None:
    written = str(place.path[-1])
    block = state.source.at(place.path[:-1])
    model = state.models.get(id(block), Surface)
    if not place.path[:-1]:  # the top of a file is validated as a copy
        model = next((cls for key, cls in state.models.items() if state.source.paths.get(key) == ()), Surface)
    if written in model.REFUSED:
        place.problem(model.REFUSED[written])
    elif not (isinstance(block, dict) and any(name in model.REFUSED for name in block)):
        # Beside a refused field the others belong to it: its reason is enough.
        place.problem(f"unknown {model.NOUN} {written!r}", did_you_mean(written, model.names()))


def _in_words(details: Mapping[str, Any], place: Place) -> tuple[str, str]:
    """Give message and hint for one of pydantic's errors."""
    kind, written, said = details["type"], details["input"], details["msg"]
    if kind == "missing":
        return "is missing", f"add `{place.path[-1]}:`"
    if kind == "value_error":  # our own validators, which give the hint behind a bar
        message, _, hint = said.removeprefix("Value error, ").partition(" | ")
        return message, hint
    if kind in {"literal_error", "enum"}:
        expected = str(details.get("ctx", {}).get("expected", "")).replace(" or ", ",")
        allowed = [name.strip(" '") for name in expected.split(",")]
        return f"{_shown(written)} is not one of {', '.join(allowed)}", _closest(written, allowed)
    if kind == "string_pattern_mismatch":
        return f"{_shown(written)} is not a name", "use lower case letters, digits, - and _; at most 64"
    if kind in _SHAPES:
        wanted, hint = _SHAPES[kind]
        return f"should be {wanted}, not {_shown(written)}", hint
    return f"{said[:1].lower()}{said[1:]}, not {_shown(written)}", ""


_BLOCK = ("a block of fields", "write `name: value` lines below it")
_LIST = ("a list", "write [one, two], or one `- ` line for each")
_NUMBER = ("a number", "write digits alone: 30")
_YES_OR_NO = ("true or false", "")
_SHAPES: Mapping[str, tuple[str, str]] = {
    "string_type": ("a text", "put it in quotes"),
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "finite_number": _NUMBER,
    "int_parsing": _NUMBER,
    "int_type": _NUMBER,
    "bool_parsing": _YES_OR_NO,
    "bool_type": _YES_OR_NO,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "model_type": _BLOCK,
    "model_attributes_type": _BLOCK,
    "dict_type": _BLOCK,
}
_LONGEST_SHOWN = 40


def _closest(written: Any, allowed: list[str]) -> str:
    hint = did_you_mean(written, allowed) if isinstance(written, str) else ""
    return hint if hint.startswith("did") else ""


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a block of fields"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")
