import re
from importlib import import_module
from io import StringIO
from types import ModuleType

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from services.intake.tables import METADATA, QUEUE

POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]
FIRST: ModuleType = import_module("services.intake.migrations.versions.0001_memberships_and_deliveries")


def plain(sql: str) -> str:
    return re.sub(r"( WITH \(.*\))?$", "", re.sub(r"\s+", " ", sql).strip(" ;"))


@pytest.fixture(scope="module")
def created() -> set[str]:
    """The statements of the migration, without a database."""
    written = StringIO()
    options = {"as_sql": True, "output_buffer": written}
    with Operations.context(MigrationContext.configure(dialect_name="postgresql", opts=options)):
        FIRST.upgrade()
    return {plain(statement) for statement in written.getvalue().split(";")}


@pytest.mark.parametrize(
    "table", [table for table in METADATA.sorted_tables if table is not QUEUE.table], ids=lambda table: table.name
)
def test_makes_the_table_that_the_folds_declare(table: sa.Table, created: set[str]) -> None:
    assert plain(str(CreateTable(table).compile(dialect=POSTGRESQL))) in created


def test_the_queue_begins_with_what_a_fold_writes(created: set[str]) -> None:
    declared = plain(str(CreateTable(QUEUE.table).compile(dialect=POSTGRESQL)))
    columns = declared.partition(", PRIMARY KEY")[0]
    assert any(statement.startswith(columns) for statement in created)
