"""The servers that tests start for themselves."""

from pathlib import Path

import asyncpg
import nats
import pytest

from shequn.local import postgres
from shequn.local.errors import DatabaseInitError
from shequn.local.nats import NatsServer
from shequn.local.ports import free_port
from shequn.local.postgres import EmbeddedPostgres
from shequn.local.probes import http_ok
from shequn.local.testing import embedded_nats, embedded_postgres, running


class TestEmbeddedPostgres:
    async def test_makes_a_cluster_once_and_copies_it_from_then_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with embedded_postgres(tmp_path / "first"):
            pass
        monkeypatch.setattr(postgres, "initialise", None)
        async with embedded_postgres(tmp_path / "second"):
            pass

    async def test_gives_each_folder_a_database_of_its_own(self, tmp_path: Path) -> None:
        async with (
            embedded_postgres(tmp_path / "one") as one,
            embedded_postgres(tmp_path / "two") as two,
        ):
            for dsn in (one, two):
                connection = await asyncpg.connect(dsn)
                await connection.execute("CREATE TABLE mine ()")
                await connection.close()

    async def test_sorts_the_same_everywhere_and_speaks_utf8(self, tmp_path: Path) -> None:
        async with embedded_postgres(tmp_path) as dsn:
            connection = await asyncpg.connect(dsn)
            assert await connection.fetchval("SHOW server_encoding") == "UTF8"
            words = "SELECT string_agg(w, '' ORDER BY w) FROM unnest(ARRAY['b','A','a','群']) w"
            assert await connection.fetchval(words) == "Aab群"
            await connection.close()

    async def test_refuses_data_of_another_major_version(self, tmp_path: Path) -> None:
        server = EmbeddedPostgres(tmp_path, free_port())
        server.dsn()
        server.cluster.mkdir()
        (server.cluster / "PG_VERSION").write_text("17\n")
        with pytest.raises(DatabaseInitError, match="its data is of PostgreSQL 17"):
            await server.spec().prepare()

    async def test_refuses_data_whose_password_is_gone(self, tmp_path: Path) -> None:
        server = EmbeddedPostgres(tmp_path, free_port())
        server.cluster.mkdir()
        (server.cluster / "PG_VERSION").write_text("18\n")
        with pytest.raises(DatabaseInitError, match="password is gone"):
            server.dsn()

    async def test_makes_further_databases(self, tmp_path: Path) -> None:
        server = EmbeddedPostgres(tmp_path, free_port(), databases=(), fsync=False)
        async with running(server.spec(), tmp_path / "log"):
            for _ in range(2):
                await server.create_database("prefect")
            connection = await asyncpg.connect(server.dsn("prefect"))
            await connection.close()

    async def test_works_in_a_folder_with_spaces_and_chinese(self, tmp_path: Path) -> None:
        folder = tmp_path / "my data 社群"
        async with embedded_postgres(folder), embedded_nats(folder):
            assert (folder / "postgres" / "PG_VERSION").exists()
            assert (folder / "nats" / "jetstream").exists()


class TestEmbeddedNats:
    async def test_syncs_before_it_acknowledges(self, tmp_path: Path) -> None:
        server = NatsServer(tmp_path, free_port(), free_port())
        async with running(server.spec(), tmp_path / "log"):
            client = await nats.connect(server.url)
            await client.close()
            assert "sync_interval: always" in (tmp_path / "nats.conf").read_text()
            assert await http_ok(f"{server.monitor_url}/jsz")()

    async def test_takes_messages_of_eight_megabytes(self, tmp_path: Path) -> None:
        async with embedded_nats(tmp_path) as url:
            client = await nats.connect(url)
            assert client.max_payload == 8 * 1024 * 1024
            await client.close()


class TestHttpOk:
    async def test_fails_where_nobody_listens(self) -> None:
        assert not await http_ok(f"http://127.0.0.1:{free_port()}/readyz")()

    async def test_fails_on_another_status(self, tmp_path: Path) -> None:
        server = NatsServer(tmp_path, free_port(), free_port())
        async with running(server.spec(), tmp_path / "log"):
            assert not await http_ok(f"{server.monitor_url}/no-such-page")()

    async def test_fails_on_what_is_not_http(self, tmp_path: Path) -> None:
        server = NatsServer(tmp_path, free_port(), free_port())
        async with running(server.spec(), tmp_path / "log"):
            assert not await http_ok(server.url.replace("nats:", "http:"))()
