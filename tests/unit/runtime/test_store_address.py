"""Addresses of PostgreSQL: what is refused before anything connects, and what is never shown."""

import pytest

from shequn.runtime.failures import ConfigError
from shequn.runtime.store.address import checked_dsn
from shequn.runtime.store.engine import Store
from shequn.runtime.store.migrate import migrate

GOOD = (
    "postgresql://127.0.0.1:5432/shequn",
    "postgres://me:secret@db.example.org/shequn",
    "postgresql://me:p%40ss%2Fword@db:5432/shequn?sslmode=require",
    "postgresql://me@[::1]:5432/shequn",
    "postgresql://me@one:5432,two:5433/shequn",
    "postgresql:///shequn?host=/run/postgresql",
)
NONSENSE = (
    "",
    "secret",
    "mysql://me:secret@db/shequn",
    "postgresql:/me:secret@db/shequn",
    "postgresql://me:sec/ret@db/shequn",
    "postgresql://me:12/secret@db/shequn",
    "postgresql://me:12?secret@db/shequn",
    "postgresql://me:12#secret@db/shequn",
    "postgresql://me:sec@ret@db/shequn",
    "postgresql://me:secret@db:port/shequn",
    "postgresql://me:secret@db:70000/shequn",
    "postgresql://me:secret@d b/shequn",
    "postgresql://me:secret@[db/shequn",
)


@pytest.mark.parametrize("dsn", GOOD)
def test_an_address_that_can_be_one_is_taken_as_it_is(dsn: str) -> None:
    assert checked_dsn(dsn) == dsn


@pytest.mark.parametrize("dsn", NONSENSE)
def test_nonsense_is_refused_with_the_name_of_the_setting(dsn: str) -> None:
    with pytest.raises(ConfigError, match="SHEQUN_POSTGRES_DSN is wrong: it "):
        checked_dsn(dsn)


@pytest.mark.parametrize("dsn", NONSENSE)
def test_no_piece_of_the_password_is_shown(dsn: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_dsn(dsn)
    assert "sec" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("dsn", ["postgresql:///shequn?port=secret", "postgresql://me@127.0.0.1/shequn?sslmode=maybe"])
async def test_a_value_that_is_none_of_its_kind_is_a_wrong_setting(dsn: str) -> None:
    with pytest.raises(ConfigError, match="SHEQUN_POSTGRES_DSN is wrong") as caught:
        await migrate(dsn, "toy", "tests.support.toy")
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="SHEQUN_POSTGRES_DSN is wrong"):
        await Store(dsn, "toy").open()
