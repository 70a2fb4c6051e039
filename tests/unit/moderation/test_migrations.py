from importlib import import_module
from typing import Any

import sqlalchemy as sa

from services.moderation.store import METADATA


class RecordingOperations:
    """Takes what a migration asks Alembic for."""

    def __init__(self) -> None:
        self.tables: dict[str, list[sa.Column[Any]]] = {}

    def create_table(self, name: str, *columns: sa.Column[Any], **_: Any) -> None:
        self.tables[name] = list(columns)

    def add_column(self, name: str, column: sa.Column[Any]) -> None:
        self.tables[name].append(column)

    def execute(self, *_: Any) -> None:
        """Storage settings are not compared."""

    def create_index(self, *_: Any, **__: Any) -> None:
        """Indexes are not compared."""


class TestMigrations:
    def test_make_the_tables_that_the_service_declares(self, monkeypatch: Any) -> None:
        operations = RecordingOperations()
        for version in ("0001_decisions", "0002_bounded_strikes"):
            migration = import_module(f"services.moderation.migrations.versions.{version}")
            monkeypatch.setattr(migration, "op", operations)
            migration.upgrade()
        for table in METADATA.sorted_tables:
            made = [(column.name, str(column.type), column.primary_key) for column in operations.tables[table.name]]
            assert made == [(column.name, str(column.type), column.primary_key) for column in table.columns]
