"""Which files a community folder holds, and what does not belong there."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from shequn.definitions.compiler.words import read_list
from shequn.definitions.errors import Report
from shequn.definitions.hints import closest, did_you_mean
from shequn.definitions.source import Place, Source
from shequn.definitions.textfile import read_text, shown, why
from shequn.definitions.yamlfile import read_yaml

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
        unread: names of files that are there and could not be read: what they hold is not known. A subfolder ends in
            ``/``.
    """

    community: Source | None = None
    products: Source | None = None
    referral: Source | None = None
    funnels: list[Source] = field(default_factory=list)
    messages: list[Source] = field(default_factory=list)
    words: dict[str, tuple[tuple[str, ...], Place]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    def lacks(self, subfolder: str) -> bool:
        """Tell whether something of a subfolder could not be read."""
        return any(name.startswith(subfolder) for name in self.unread)


def read_folder(path: Path, report: Report) -> Folder:
    """Read all files of a community folder; none of its problems raises."""
    folder = Folder()
    entries = _top(path, report)
    if entries is None:
        return folder
    _report_strangers(entries, folder, report)
    names = {entry.name for entry in entries}
    sources = {name: read_yaml(path / name, name, report) for name in _ALONE if name in names}
    folder.community, folder.products, folder.referral = (sources.get(name) for name in _ALONE)
    folder.unread |= {name for name, source in sources.items() if source is None}
    if COMMUNITY not in sources:
        report.problem(COMMUNITY, 0, "", "is missing", "every community folder has one: it says who the community is")
    folder.funnels = _read_all(path, "funnels", folder, report)
    folder.messages = _read_all(path, "messages", folder, report)
    _read_words(path, folder, report)
    return folder


def _top(path: Path, report: Report) -> list[Path] | None:
    """List a community folder; none, and a problem, when it is not one."""
    try:
        return sorted(path.iterdir())
    except FileNotFoundError:
        what = "does not exist"
    except NotADirectoryError:
        what = "is not a folder"
    except OSError as error:
        what = f"cannot be read: {why(error)}"
    report.problem(shown(str(path)), 0, "", what, "name the folder that holds community.yaml")
    return None


def _members(path: Path, name: str, folder: Folder, report: Report) -> list[Path]:
    """Give the files of a subfolder with the right ending, by name; the others are reported."""
    inner = path / name
    if not os.path.lexists(inner):
        return []
    try:
        entries = sorted(inner.iterdir())
    except OSError as error:
        report.problem(name, 0, "", f"cannot be read: {why(error)}", "it should be a folder that you may read")
        folder.unread.add(f"{name}/")
        return []
    wanted = _FOLDERS[name]
    seen = [entry for entry in entries if not entry.name.startswith(".")]
    for entry in seen:
        if entry.suffix != wanted:
            file = f"{name}/{shown(entry.name)}"
            report.problem(file, 0, "", "is not read", f"name it *{wanted}, or move it elsewhere")
            folder.unread.add(file)
    return [entry for entry in seen if entry.suffix == wanted]


def _read_all(path: Path, name: str, folder: Folder, report: Report) -> list[Source]:
    sources: list[Source] = []
    for entry in _members(path, name, folder, report):
        file = f"{name}/{shown(entry.name)}"
        source = read_yaml(entry, file, report)
        if source is None:
            folder.unread.add(file)
        else:
            sources.append(source)
    return sources


def _read_words(path: Path, folder: Folder, report: Report) -> None:
    for entry in _members(path, "words", folder, report):
        name = f"words/{shown(entry.name)}"
        text = read_text(entry, name, report)
        place = Place(Source(name), report)
        folder.words[shown(entry.stem)] = ((), place) if text is None else (read_list(text, place), place)


def _report_strangers(entries: list[Path], folder: Folder, report: Report) -> None:
    """Report YAML files that nothing reads: most likely their name is mistyped, and they hold what others name."""
    for entry in entries:
        if entry.suffix in {".yaml", ".yml"} and entry.name not in {*_ALONE, _NOT_OURS}:
            report.problem(shown(entry.name), 0, "", "is not read", did_you_mean(entry.name, _ALONE))
            folder.unread.add(closest(entry.name, _ALONE) or entry.name)
        elif entry.name not in {*_ALONE, *_FOLDERS} and not entry.name.startswith(".") and _is_folder(entry):
            meant = closest(entry.name, _FOLDERS)
            if meant is not None:
                report.problem(shown(entry.name), 0, "", "is not read", did_you_mean(entry.name, _FOLDERS))
                folder.unread.add(f"{meant}/")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # nobody may look at it; nor does it belong to the community
        return False
