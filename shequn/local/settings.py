"""What a person can set about the local stack."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class LocalSettings(BaseSettings):
    """Settings of the local stack; each also from the environment, as `SHEQUN_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="SHEQUN_", env_nested_delimiter="__", frozen=True, extra="ignore")

    data_dir: Path = Field(default=Path(".shequn"), description="Folder of all data, logs and passwords.")
    ports: dict[str, int] = Field(
        default_factory=dict,
        description="Fixed ports by name: nats, nats_monitor, postgres, prefect, or a service's "
        "name (SHEQUN_PORTS__NATS=4222). The others are free ones.",
    )
    nats_url: str | None = Field(default=None, description="A NATS server to use instead of the embedded one.")
    nats_monitor_url: str | None = Field(
        default=None, description="The monitoring port of a NATS server that is given, as http://host:8222."
    )
    postgres_dsn: str | None = Field(
        default=None,
        description="A PostgreSQL database to use instead of the embedded server. "
        "Prefect's database is made beside it.",
    )
    prefect: bool = Field(default=True, description="Whether to run Prefect's server.")
    prefect_api_url: str | None = Field(
        default=None, description="A Prefect API to use instead of the embedded server."
    )
    clock: str = Field(default="real", description="The services' clock, as SHEQUN_CLOCK.")


def port_setting(name: str) -> str:
    """The environment variable that fixes the port called `name`."""
    return f"SHEQUN_PORTS__{name.upper()}"
