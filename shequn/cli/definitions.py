"""`shequn check`, `plan` and `apply`: from definition files to a version in force."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from shequn.cli.context import (
    DEFAULT_DATA,
    EXIT_WRONG_INPUT,
    cell,
    console,
    print_json,
    show_error,
    tell,
    visible,
    with_bus,
)
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.definitions import DefinitionError, LoadResult, diff, load_folder, scorecard
from shequn.runtime.applying import applied_definition, apply_definition
from shequn.runtime.bus.connection import Bus

Folder = Annotated[Path, typer.Argument(help="The community's folder: community.yaml, products.yaml, funnels/ …")]
Data = Annotated[Path, typer.Option(help="The data folder of the stack.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")]


def check(folder: Folder, as_json: AsJson = False) -> None:
    """Check a community's files. Every error names file, line and field. Exit code 2 when there is one."""
    result = _load(folder, as_json=as_json)
    score = scorecard(result.definition)
    if as_json:
        print_json(
            {
                "valid": True,
                "community": result.definition.community,
                "notices": [str(notice) for notice in result.notices],
                "scorecard": {part.name: {"score": part.score, "weak": list(part.weak)} for part in score.parts},
            }
        )
        return
    for notice in result.notices:
        console.print("notice:", style="yellow", end=" ")
        console.print(visible(str(notice)), markup=False)
    table = Table("ISOOC", "score", "what is weak")
    for part in score.parts:
        table.add_row(part.name, f"{part.score:.0%}", cell("; ".join(part.weak) or "—"))
    console.print(table)
    tell(f"{result.definition.community}: valid")


def plan(folder: Folder, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Show what applying a folder would change. Nothing is changed."""
    definition = _load(folder, as_json=as_json).definition

    async def current(bus: Bus) -> CommunityDefinition | None:
        return await applied_definition(bus, definition.community)

    before = with_bus(data, current)
    changes = [] if before is None else diff(before, definition)
    if as_json:
        print_json({"version": before.version if before else 0, "changes": [str(change) for change in changes]})
        return
    if before is None:
        tell(f"{definition.community} is not applied yet; this would be version 1")
    elif not changes:
        tell(f"nothing would change; version {before.version} is in force")
    for change in changes:
        tell(str(change))


def apply(folder: Folder, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Put a folder in force as a new, immutable version. Running enrollments finish on theirs."""
    definition = _load(folder, as_json=as_json).definition

    async def store(bus: Bus) -> CommunityDefinition:
        return await apply_definition(bus, definition, datetime.now(UTC))

    stored = with_bus(data, store)
    if as_json:
        print_json({"community": stored.community, "version": stored.version})
    else:
        tell(f"{stored.community}: version {stored.version} is in force")


def _load(folder: Path, *, as_json: bool) -> LoadResult:
    try:
        return load_folder(folder)
    except DefinitionError as error:
        if as_json:
            print_json({"valid": False, "problems": [str(problem) for problem in error.problems]})
        for problem in error.problems:
            show_error(problem)
        raise typer.Exit(EXIT_WRONG_INPUT) from error
