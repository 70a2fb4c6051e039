"""Prefect's API server and scheduler, on the stack's PostgreSQL."""

import sys
from dataclasses import dataclass
from pathlib import Path

from .database import ensure_database, with_database
from .ports import LOOPBACK
from .probes import http_ok
from .spec import ProcessSpec

DATABASE = "prefect"
QUIET = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
"""Set before the first import of Prefect, everywhere: no usage data leaves the machine."""


@dataclass(frozen=True, slots=True)
class PrefectServer:
    """The API, the UI and the background services in one process on 127.0.0.1.

    Attributes:
        folder: PREFECT_HOME.
        port: for the API and the UI.
        postgres_dsn: any database of the server that will hold Prefect's own, `prefect`.
    """

    folder: Path
    port: int
    postgres_dsn: str

    @property
    def url(self) -> str:
        """Address of the UI."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def api_url(self) -> str:
        """Address of the API, as PREFECT_API_URL wants it."""
        return f"{self.url}/api"

    def spec(self, needs: tuple[str, ...] = ("postgres",)) -> ProcessSpec:
        """The process that runs it, after the processes `needs`.

        uvicorn runs the app itself: `prefect server start` asks questions on a terminal, writes
        profiles and takes 1 s longer.
        """
        application = "prefect.server.api.server:create_app"
        address = ("--host", LOOPBACK, "--port", str(self.port))
        return ProcessSpec(
            name="prefect",
            argv=(sys.executable, "-m", "uvicorn", "--factory", application, *address),
            ready=http_ok(f"{self.api_url}/health"),
            env=self._environment(),
            depends_on=needs,
            # Prefect reads .env, prefect.toml and pyproject.toml of the working folder.
            cwd=self.folder,
            ports={"prefect": self.port},
            urls={"ui": self.url, "api": self.api_url},
            prepare=self._prepare,
            ready_timeout=120.0,
            stop_timeout=15.0,
        )

    async def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        await ensure_database(with_database(self.postgres_dsn, DATABASE))

    def _environment(self) -> dict[str, str]:
        database = with_database(self.postgres_dsn, DATABASE, scheme="postgresql+asyncpg")
        return {
            **QUIET,
            "PREFECT_HOME": str(self.folder),
            "PREFECT_API_DATABASE_CONNECTION_URL": database,
            "PREFECT_API_URL": self.api_url,
            "PREFECT_UI_API_URL": self.api_url,
            # The default is inside site-packages, which may be read-only.
            "PREFECT_UI_STATIC_DIRECTORY": str(self.folder / "ui"),
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        }
