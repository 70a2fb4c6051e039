"""States in the store, as the fold runtime writes and reads them."""

from collections.abc import AsyncIterator

import pytest

from shequn.runtime.fold.transaction import ConcurrentInsertError, insert_states
from shequn.runtime.store import Store
from shequn.runtime.store.bulk import StateStatements
from shequn.runtime.store.migrate import migrate
from shequn.runtime.store.types import Connection
from tests.support.toy.service import AUTHORS, Author

STATEMENTS = StateStatements(AUTHORS)


@pytest.fixture
async def connection(postgres_dsn: str) -> AsyncIterator[Connection]:
    await migrate(postgres_dsn, "toy", "tests.support.toy")
    connection = await Store(postgres_dsn, schema="toy").fold_connection()
    yield connection
    await connection.close()


async def load(connection: Connection, *keys: str) -> list[Author]:
    return [STATEMENTS.row_from(tuple(record)) for record in await connection.fetch(STATEMENTS.load, list(keys))]


class TestInserting:
    async def test_keeps_every_field(self, connection: Connection) -> None:
        ann = Author("ann", messages=2, last_text="“你好”, it's\n\tfine\\", words=["读", "", '"', "\\"])
        await insert_states(connection, STATEMENTS, [ann])
        assert await load(connection, "ann") == [ann]

    async def test_a_row_that_another_replica_made_ends_the_transaction(self, connection: Connection) -> None:
        await insert_states(connection, STATEMENTS, [Author("ann")])
        with pytest.raises(ConcurrentInsertError):
            await insert_states(connection, STATEMENTS, [Author("ann"), Author("bob")])
        assert await load(connection, "ann", "bob") == [Author("ann")]
