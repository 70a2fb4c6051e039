"""Addresses of databases."""

import pytest

from shequn.local.database import database_name, with_database


@pytest.mark.parametrize(
    ("dsn", "name", "scheme", "result"),
    [
        ("postgresql://u:p@h:5/a", "b", None, "postgresql://u:p@h:5/b"),
        ("postgresql://u:p%40@h/a?ssl=1", "b", None, "postgresql://u:p%40@h/b?ssl=1"),
        ("postgresql://h/a", "b", "postgresql+asyncpg", "postgresql+asyncpg://h/b"),
        ("postgresql://h", "b", None, "postgresql://h/b"),
    ],
)
def test_with_database_changes_nothing_else(dsn: str, name: str, scheme: str | None, result: str) -> None:
    assert with_database(dsn, name, scheme) == result


def test_database_name() -> None:
    assert database_name("postgresql://u:p@h:5/shequn?x=1") == "shequn"
