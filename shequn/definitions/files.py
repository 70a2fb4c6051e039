"""Which files a community folder holds, and what does not belong there."""

from dataclasses import dataclass, field
from pathlib import Path

from shequn.definitions.compiler.words import read_list
from shequn.definitions.errors import Report
from shequn.definitions.hints import did_you_mean
from shequn.definitions.source import Place, Source
from shequn.definitions.yamlfile import read_text, read_yaml

COMMUNITY, PRODUCTS, REFERRAL = "community.yaml", "products.yaml", "referral.yaml"
_ALONE = (COMMUNITY, PRODUCTS, REFERRAL)
_NOT_OURS = "behaviour.yaml"
"""How the made-up members of the demo behave: the simulator reads it, no service does."""
_FOLDERS = {"funnels": ".yaml", "messages": ".yaml", "words": ".txt"}


@dataclass
class Folder:
    """What was read. A file that could not be read is none, and its problems are reported.

    Attributes:
        words: word lists by kind, with the place of their file.
        unread: names of files that are there and could not be read: what they hold is not known.
    """

    community: Source | None = None
    products: Source | None = None
    referral: Source | None = None
    funnels: list[Source] = field(default_factory=list)
    messages: list[Source] = field(default_factory=list)
    words: dict[str, tuple[tuple[str, ...], Place]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)


def read_folder(path: Path, report: Report) -> Folder:
    """Read all files of a community folder; none of its problems raises."""
    folder = Folder()
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        report.problem(str(path), 0, "", what, "name the folder that holds community.yaml")
        return folder
    _report_strangers(path, report)
    sources = {name: read_yaml(path / name, name, report) for name in _ALONE if (path / name).exists()}
    folder.community, folder.products, folder.referral = (sources.get(name) for name in _ALONE)
    folder.unread = {name for name, source in sources.items() if source is None}
    if COMMUNITY not in sources:
        report.problem(COMMUNITY, 0, "", "is missing", "every community folder has one: it says who the community is")
    folder.funnels = _read_all(path, "funnels", folder, report)
    folder.messages = _read_all(path, "messages", folder, report)
    _read_words(path, folder, report)
    return folder


def _members(path: Path, folder: str, report: Report) -> list[Path]:
    """Give the files of a subfolder with the right ending, by name; the others are reported."""
    inner = path / folder
    if not inner.exists():
        return []
    try:
        entries = sorted(inner.iterdir())
    except OSError as error:
        report.problem(folder, 0, "", f"cannot be read: {error.strerror or error}", "it should be a folder")
        return []
    wanted = _FOLDERS[folder]
    seen = [entry for entry in entries if not entry.name.startswith(".")]
    for entry in seen:
        if entry.suffix != wanted:
            report.problem(f"{folder}/{entry.name}", 0, "", "is not read", f"name it *{wanted}, or move it elsewhere")
    return [entry for entry in seen if entry.suffix == wanted]


def _read_all(path: Path, name: str, folder: Folder, report: Report) -> list[Source]:
    sources: list[Source] = []
    for entry in _members(path, name, report):
        source = read_yaml(entry, f"{name}/{entry.name}", report)
        if source is None:
            folder.unread.add(f"{name}/{entry.name}")
        else:
            sources.append(source)
    return sources


def _read_words(path: Path, folder: Folder, report: Report) -> None:
    for entry in _members(path, "words", report):
        name = f"words/{entry.name}"
        text = read_text(entry, name, report)
        place = Place(Source(name), report)
        folder.words[entry.stem] = ((), place) if text is None else (read_list(text, place), place)


def _report_strangers(path: Path, report: Report) -> None:
    """Report YAML files that nothing reads: most likely their name is mistyped."""
    for entry in sorted(path.iterdir()):
        if entry.suffix in {".yaml", ".yml"} and entry.name not in {*_ALONE, _NOT_OURS}:
            report.problem(entry.name, 0, "", "is not read", did_you_mean(entry.name, _ALONE))
        elif entry.is_dir() and not entry.name.startswith(".") and entry.name not in _FOLDERS:
            hint = did_you_mean(entry.name, _FOLDERS)
            if hint.startswith("did"):
                report.problem(entry.name, 0, "", "is not read", hint)
