"""Servers for tests: `async with embedded_nats(tmp_path) as url`."""

import atexit
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from .identity import Identity
from .nats import NatsServer
from .ports import free_port
from .postgres import EmbeddedPostgres
from .process import ManagedProcess
from .spec import ProcessSpec

_templates: list[Path] = []


@asynccontextmanager
async def running(spec: ProcessSpec, log: Path) -> AsyncIterator[ManagedProcess]:
    """Run one process, without restarts, from ready to the end of the block.

    Raises:
        ProcessExitedError, ProcessNotReadyError: it did not get ready; its output is in `log`.
    """
    process = ManagedProcess(spec, log)
    await spec.prepare()
    try:
        await process.start()
        await process.wait_ready()
        await spec.after_ready()
        yield process
    finally:
        await process.stop()


@asynccontextmanager
async def embedded_nats(folder: Path) -> AsyncIterator[str]:
    """A NATS server with JetStream and its data in `folder`; gives its URL."""
    server = NatsServer(folder / "nats", free_port(), free_port())
    async with running(server.spec(), folder / "logs" / "nats.log"):
        yield server.url


@asynccontextmanager
async def embedded_postgres(folder: Path, *, fsync: bool = False) -> AsyncIterator[str]:
    """A PostgreSQL server with its data in `folder`; gives the DSN of its database `shequn`.

    The cluster is made once per Python process and copied from then on.

    Args:
        folder: where the data goes.
        fsync: True makes it as safe, and as slow, as the stack's.
    """
    server = EmbeddedPostgres(folder, free_port(), fsync=fsync)
    spec = server.spec()
    if not server.cluster.exists():
        await _from_template(server, spec.run_as)
    async with running(spec, folder / "logs" / "postgres.log"):
        yield server.dsn()


async def _from_template(server: EmbeddedPostgres, identity: Identity | None) -> None:
    if not _templates:
        place = Path(tempfile.mkdtemp(prefix="shequn-postgres-template-"))
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        template = EmbeddedPostgres(place, free_port(), fsync=False)
        spec = template.spec()
        # Run it once: the copy then has its databases and needs no recovery.
        async with running(spec, place / "postgres.log"):
            pass
        _templates.append(place)
    source = EmbeddedPostgres(_templates[0], 0)
    server.folder.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source.folder / "postgres.password", server.folder)
    shutil.copytree(source.cluster, server.cluster)
    if identity is not None:
        for path in (server.cluster, *server.cluster.rglob("*")):
            os.chown(path, identity.uid, identity.gid)
