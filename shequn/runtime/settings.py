"""Settings that every process has. Each service adds its own class beside its rooms."""

from pathlib import Path
from typing import Self, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shequn.runtime.failures import ConfigError

T = TypeVar("T", bound=BaseSettings)


class RuntimeSettings(BaseSettings):
    """Read from the environment, with the prefix ``SHEQUN_``.

    Attributes:
        nats_url: where the bus is.
        postgres_dsn: where the store is; each service uses its own schema in it.
        http_host: the address the service listens on.
        http_port: its port; 0 takes a free one.
        data_dir: the folder for files a process writes (recordings).
        clock: ``real``, or a scaled clock (see :mod:`shequn.runtime.clock`).
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
        log_format: ``json`` for machines, ``console`` for people.
        batch_size: how many events are folded in one transaction at most.
        nats_monitor_url: the monitoring port of the server (``http://host:8222``); readiness asks it whether the server
            syncs always. A cluster with three replicas of every stream needs none.
        nats_replicas: how many replicas streams are created with.
        inbox_days: how long a folded event is remembered; longer than any redelivery takes.
        export_seconds: how often business gauges are read from the store.
        allow_unsafe_bus: be ready although the bus may lose acknowledged events in a power cut; for throw-away tests.
    """

    model_config = SettingsConfigDict(env_prefix="SHEQUN_", extra="ignore", frozen=True)

    nats_url: str = "nats://127.0.0.1:4222"
    postgres_dsn: str = "postgresql://127.0.0.1:5432/shequn"
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65_535)
    data_dir: Path = Path("data")
    clock: str = "real"
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    log_format: str = Field(default="json", pattern="^(json|console)$")
    batch_size: int = Field(default=500, ge=1, le=5_000)
    nats_monitor_url: str | None = None
    nats_replicas: int = Field(default=1, ge=1, le=5)
    inbox_days: int = Field(default=30, ge=2)
    export_seconds: float = Field(default=2.0, gt=0)
    allow_unsafe_bus: bool = False

    @classmethod
    def load(cls) -> Self:
        """Read the settings from the environment.

        Raises:
            ConfigError: naming every variable that is wrong, and why.
        """
        return load_settings(cls)


def load_settings(settings: type[T]) -> T:
    """Read a settings class from the environment, with errors for people.

    Raises:
        ConfigError: naming every variable that is wrong, and why.
    """
    prefix = settings.model_config.get("env_prefix", "")
    between = settings.model_config.get("env_nested_delimiter") or "_"
    try:
        return settings()
    except ValidationError as error:
        lines = [
            f"{prefix}{between.join(str(part) for part in problem['loc'])}".upper() + f": {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigError("settings are wrong: " + "; ".join(lines)) from error
