"""Which servers the stack runs itself."""

from pathlib import Path

from shequn.local.plan import StackPlan, plan_stack
from shequn.local.settings import LocalSettings

NATS = "nats://bus:4222"
DSN = "postgresql://u:p@db:5432/shequn"
API = "http://prefect:4200/api"


def plan(tmp_path: Path, **given: object) -> StackPlan:
    settings = LocalSettings.model_validate({"data_dir": tmp_path, "nats_url": None, **given})
    return plan_stack(settings, tmp_path, fsync=True)


def names(stack_plan: StackPlan) -> list[str]:
    return [spec.name for spec in stack_plan.servers]


class TestPlan:
    def test_runs_all_servers_by_default(self, tmp_path: Path) -> None:
        made = plan(tmp_path)
        assert names(made) == ["nats", "postgres", "prefect"]
        assert made.first == ("nats", "postgres")

    def test_leaves_out_what_is_given(self, tmp_path: Path) -> None:
        made = plan(tmp_path, nats_url=NATS, postgres_dsn=DSN, prefect_api_url=API)
        assert names(made) == []
        assert made.external == {"nats", "postgres", "prefect"}
        assert (made.nats_url, made.postgres_dsn, made.prefect_api_url) == (NATS, DSN, API)

    def test_puts_prefect_beside_a_given_database(self, tmp_path: Path) -> None:
        (prefect,) = plan(tmp_path, nats_url=NATS, postgres_dsn=DSN).servers
        assert prefect.depends_on == ()
        url = prefect.env["PREFECT_API_DATABASE_CONNECTION_URL"]
        assert url == "postgresql+asyncpg://u:p@db:5432/prefect"

    def test_without_prefect_has_no_address_of_it(self, tmp_path: Path) -> None:
        made = plan(tmp_path, nats_url=NATS, postgres_dsn=DSN, prefect=False)
        assert made.prefect_api_url is None
        assert "PREFECT_API_URL" not in made.environment


class TestEnvironment:
    def test_points_programs_at_the_stack(self, tmp_path: Path) -> None:
        environment = plan(tmp_path, nats_url=NATS, postgres_dsn=DSN).environment
        assert environment["SHEQUN_NATS_URL"] == NATS
        assert environment["SHEQUN_POSTGRES_DSN"] == DSN
        assert environment["SHEQUN_DATA_DIR"] == str(tmp_path)
        assert environment["SHEQUN_CLOCK"] == "real"

    def test_sends_no_usage_data(self, tmp_path: Path) -> None:
        environment = plan(tmp_path, nats_url=NATS, postgres_dsn=DSN).environment
        assert environment["DO_NOT_TRACK"] == "1"
        assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"

    def test_keeps_our_addresses_from_proxies(self, tmp_path: Path) -> None:
        environment = plan(tmp_path, nats_url=NATS, postgres_dsn=DSN).environment
        assert {"127.0.0.1", "localhost"} <= set(environment["NO_PROXY"].split(","))
