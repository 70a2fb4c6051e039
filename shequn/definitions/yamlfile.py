"""Read a YAML 1.2 file into a :class:`Source`. Whatever is wrong becomes a problem, never a traceback."""

import re
import sys
from decimal import Decimal
from pathlib import Path as FilePath

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from shequn.definitions.errors import Report
from shequn.definitions.source import Data, Path, Place, Source, WrittenInt
from shequn.definitions.textfile import read_text

MAX_NODES = 100_000
"""Values in one file with every alias written out: stops a few lines of aliases from filling the memory."""

MAX_DEPTH = 24
"""Levels of nesting; the deepest field of the surface has ten."""

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset({f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}merge", f"{_TAG}value"})
_MAX_DIGITS = 18
_CHINESE_COLON = re.compile(r"[\s{-]*[\w-]+\s*：")
_CHINESE_COMMA = re.compile(r"[a-z0-9_-]，\s*[a-z0-9_-]")
_BRACKETS = re.compile(rf"(?:[\[{{][\s]*){{{4 * MAX_DEPTH}}}")


class _TooMuchError(Exception):
    """The file holds more than a definition can; the message says of what."""


def read_yaml(path: FilePath, name: str, report: Report) -> Source | None:
    """Read one file whose top is a block of fields. Gives none, and problems, when it cannot be read.

    Args:
        path: the file.
        name: how findings name it.
        report: takes the problems.
    """
    text = read_text(path, name, report)
    if text is None:
        return None
    node = _compose(text, name, report)
    if node is None:
        return None
    source = Source(name)
    try:
        source.data = _Reader(source, report).value(node, ())
    except _TooMuchError as error:
        report.problem(name, 1, "", str(error), "write it shorter, with fewer aliases")
        return None
    if not isinstance(source.data, dict):
        report.problem(name, 1, "", "is not a block of fields", "start with a line such as `name: value`")
        return None
    return source


def _compose(text: str, name: str, report: Report) -> Node | None:
    if _BRACKETS.search(text):  # the parser would take seconds to find out
        report.problem(name, 1, "", "is nested too deeply", f"use at most {MAX_DEPTH} levels")
        return None
    yaml = YAML(typ="rt", pure=True)
    yaml.composer.warn_double_anchors = False
    try:
        node: Node | None = yaml.compose(text)
    except MarkedYAMLError as error:
        line, hint = _place(error, text)
        report.problem(name, line, "", f"is not YAML: {error.problem or error.context}", hint)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        report.problem(name, line, "", f"has a character that YAML does not allow: {error.character!r}", "remove it")
    except YAMLError as error:
        report.problem(name, 1, "", f"is not YAML: {error}")
    except RecursionError:
        report.problem(name, 1, "", "is nested too deeply", f"use at most {MAX_DEPTH} levels")
    except (ValueError, OverflowError) as error:  # escapes such as "\UFFFFFFFF" reach chr()
        report.problem(name, 1, "", f"is not YAML: {error}")
    else:
        if node is None:
            report.problem(name, 1, "", "is empty", "write the fields, or remove the file")
        return node
    return None


def _place(error: MarkedYAMLError, text: str) -> tuple[int, str]:
    """Give the line that is wrong, and a hint. The parser often stops a line later than what a Chinese colon spoils."""
    mark = error.problem_mark or error.context_mark
    stopped = mark.line if mark else 0
    began = error.context_mark.line if error.context_mark else stopped
    for number, line in enumerate(text.splitlines()[began : stopped + 1], start=began + 1):
        if _CHINESE_COLON.match(line):
            return number, "a field's name ends with ':' and a space, not with '：'"
    return stopped + 1, _hint(error)


def _hint(error: MarkedYAMLError) -> str:
    said = error.problem or ""
    if "\\t" in said:
        return "indent with spaces, not tabs"
    if "mapping values are not allowed" in said:
        return "put a text that contains ': ' in quotes"
    if "chomping or indentation indicators" in said:
        return 'put comparisons in quotes: ">= 20"'
    if "another document" in said:
        return "one file holds one document: remove the second `---`"
    return ""


class _Reader:
    """Turns nodes into data and notes lines. Aliases are written out, each with its own path."""

    def __init__(self, source: Source, report: Report) -> None:
        self._source = source
        self._report = report
        self._nodes = 0

    def value(self, node: Node, path: Path) -> Data:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _TooMuchError(f"holds more than {MAX_NODES:,} values")
        if len(path) > MAX_DEPTH:
            raise _TooMuchError(f"is nested more than {MAX_DEPTH} levels deep, or an alias contains itself")
        self._source.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return self._sequence(node, path)
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> Data:
        self._require_core_tag(node, path, "map")
        fields: dict[str, Data] = {}
        self._source.paths[id(fields)] = path
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self._report.problem(self._source.name, line, "", "a field's name is not a text", "write `name: value`")
                continue
            key = sys.intern(str(key_node.value))
            inner = (*path, key)
            if key in fields:
                first = self._source.lines[inner]
                place = Place(self._source, self._report, inner)
                self._report.problem(
                    self._source.name,
                    line,
                    place.field,
                    "is given twice",
                    f"it stands on line {first} already; keep one",
                )
                continue
            self._source.lines[inner] = line
            fields[key] = self.value(value_node, inner)
        return fields

    def _sequence(self, node: SequenceNode, path: Path) -> Data:
        self._require_core_tag(node, path, "seq")
        items: list[Data] = []
        self._source.paths[id(items)] = path
        if node.flow_style and any(map(_holds_two, node.value)):
            self._problem(path, "has an item with '，' in it", "part items with ','; quote an item that holds a comma")
        items.extend(self.value(item, (*path, position)) for position, item in enumerate(node.value))
        return items

    def _require_core_tag(self, node: Node, path: Path, kind: str) -> None:
        if str(node.tag) != _TAG + kind:
            self._problem(path, f"has the tag {_short(node)}", "remove the tag: definition files are plain values")

    def _scalar(self, node: Node, path: Path) -> Data:
        tag, text = str(node.tag), str(node.value)
        if tag == f"{_TAG}null":
            return None
        if tag == f"{_TAG}bool":
            return text.lower() in {"true", "yes", "on"}
        if tag == f"{_TAG}int" and len(text) <= _MAX_DIGITS:
            return self._number(text, path)
        if tag == f"{_TAG}float" and text.lower().lstrip("+-") not in {".inf", ".nan"}:
            return self._fraction(text, path)
        if tag not in _TEXT_TAGS and tag not in {f"{_TAG}int", f"{_TAG}float"}:
            self._problem(path, f"has the tag {_short(node)}", "remove the tag: definition files are plain values")
        if not text.isprintable() and any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text):
            self._problem(path, "has a character that cannot be stored", "remove the escaped NUL or half character")
        return text

    def _number(self, text: str, path: Path) -> Data:
        try:
            return WrittenInt(text)
        except ValueError:
            self._problem(path, f"is not a number: {text}", "write digits only, or put it in quotes")
            return None

    def _fraction(self, text: str, path: Path) -> Data:
        try:
            return Decimal(text)
        except ArithmeticError:
            self._problem(path, f"is not a number: {text}", "write digits and one point, or put it in quotes")
            return None

    def _problem(self, path: Path, message: str, hint: str) -> None:
        Place(self._source, self._report, path).problem(message, hint)


def _holds_two(item: Node) -> bool:
    """Whether a Chinese comma stands between what are no Chinese words: a text of Chinese words may have one."""
    return isinstance(item, ScalarNode) and item.style is None and bool(_CHINESE_COMMA.search(str(item.value)))


def _short(node: Node) -> str:
    return str(node.tag).replace(_TAG, "!!")
