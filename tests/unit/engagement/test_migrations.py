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

from services.engagement.tables import METADATA

POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]
FIRST: ModuleType = import_module("services.engagement.migrations.versions.0001_activity_and_points")


def plain(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip(" ;")


@pytest.fixture(scope="module")
def created() -> set[str]:
    """The statements of the migration, without a database."""
    written = StringIO()
    options = {"as_sql": True, "output_buffer": written}
    with Operations.context(MigrationContext.configure(dialect_name="postgresql", opts=options)):
        FIRST.upgrade()
    return {plain(statement) for statement in written.getvalue().split(";")}


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: table.name)
def test_makes_the_table_that_the_folds_declare(table: sa.Table, created: set[str]) -> None:
    assert plain(str(CreateTable(table).compile(dialect=POSTGRESQL))) in created
