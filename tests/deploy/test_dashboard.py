"""The funnel's dashboard on a real Prometheus: every query has data, and the headline numbers are the store's.

One stack runs for all tests here; a small story is told to it, and one message that is no event becomes a dead letter.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import nats
import pytest
import pytest_asyncio

from flows.store import FunnelTotals, read_funnel_totals
from services.commerce.domain.ledger import AccountKind
from services.commerce.store import Totals as CommerceTotals
from services.commerce.store import read_totals as read_commerce
from services.engagement.store import read_community_totals, read_group_totals
from services.moderation.store import Totals as ModerationTotals
from services.moderation.store import read_totals as read_moderation
from shequn.contracts.chat import MessagePosted
from shequn.contracts.subjects import CONSUMERS, DEAD
from shequn.definitions import load_folder
from shequn.runtime.store import Store
from shequn.sim.behaviour import Behaviour
from shequn.sim.staging import Stage, staged, story_clock
from shequn.sim.story import Story, Storyteller
from tests.support.grafana import PanelQuery, expression, queries, variable_queries
from tests.support.prometheus import BINARY, Prometheus, prometheus
from tests.support.promql import without_variables
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(BINARY is None, reason="no prometheus: install Debian's package prometheus"),
]

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "samples" / "reading-club"
RULES = sorted(str(path) for path in (ROOT / "deploy" / "prometheus" / "rules").glob("*.yaml"))
DASHBOARD = "funnel"
MEMBERS = 100
SEED = 5
STORY_SECONDS = 25.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scene:
    """What the tests look at."""

    stage: Stage
    story: Story
    prometheus: Prometheus

    @property
    def community(self) -> str:
        return self.stage.definition.community

    async def read(self, schema: str, reader: Any, *arguments: Any) -> Any:
        """Read totals with a service's own reader, in its own schema."""
        store = Store(self.stage.stack.postgres_dsn, schema=schema)
        await store.open()
        try:
            async with store.connection() as connection:
                return await reader(connection, *arguments)
        finally:
            await store.close()

    async def commerce(self) -> CommerceTotals:
        totals: CommerceTotals = await self.read("commerce", read_commerce)
        return totals

    async def moderation(self) -> ModerationTotals:
        totals: ModerationTotals = await self.read("moderation", read_moderation)
        return totals

    async def funnels(self) -> dict[str, FunnelTotals]:
        return {totals.funnel: totals for totals in await self.read("flows", read_funnel_totals)}

    def expr(self, title: str, funnel: str = ".*") -> str:
        return without_variables(expression(DASHBOARD, title), self.community, funnel)

    async def by(self, title: str, label: str, funnel: str = ".*") -> dict[str, float]:
        """What a panel shows, by a label."""
        return await self.prometheus.by(self.expr(title, funnel), label)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("dashboard")
    behaviour = Behaviour.read(SAMPLE / "behaviour.yaml").model_copy(update={"members": MEMBERS})
    definition = load_folder(SAMPLE).definition
    clock = story_clock(behaviour, STORY_SECONDS)
    async with (
        staged(folder / "stack", clock, definition) as stage,
        prometheus(folder, stage.services, RULES) as server,
    ):
        story = Storyteller(stage.definition, behaviour, SEED, clock.now()).tell()
        await _publish_nonsense(stage)
        await stage.feeder().feed(story)
        scene = Scene(stage, story, server)
        await _settled(scene)
        yield scene


async def _publish_nonsense(stage: Stage) -> None:
    client = await nats.connect(stage.stack.nats_url)
    await client.jetstream().publish(MessagePosted.TYPE, b"no event")
    await client.close()


async def _settled(scene: Scene) -> None:
    """Wait until the store holds what the story tells.

    How far members came is not waited for: on a busy machine the story's clock outruns the services by days, and
    waits of the funnel end before a payment is seen.
    """
    expected = scene.story.totals
    members = expected.members * len(scene.stage.definition.funnels)

    async def counted() -> tuple[int, int, int]:
        commerce = await scene.commerce()
        community = await scene.read("engagement", read_community_totals, scene.community)
        entered = sum(totals.entered for totals in (await scene.funnels()).values())
        return sum(commerce.sales.values()), community.messages, entered

    whole = (expected.orders, expected.messages, members)
    await eventually(counted, lambda now: now == whole, within=60)


async def _agree(shown: Callable[[], Awaitable[T]], stored: Callable[[], Awaitable[T]]) -> T:
    """Wait until Prometheus shows what the store says: a gauge is read every second, and scraped every second."""

    async def both() -> tuple[T, T]:
        return await shown(), await stored()

    _, value = await eventually(both, lambda pair: pair[0] == pair[1], within=15)
    return value


async def _equal(scene: Scene, title: str, stored: Callable[[], Awaitable[float]]) -> float:
    """Wait until a panel with one number shows what the store says."""

    async def shown() -> float:
        return round(await scene.prometheus.number(scene.expr(title)) or 0, 9)

    return await _agree(shown, stored)


@pytest.mark.parametrize("query", queries(DASHBOARD), ids=str)
async def test_a_query_has_data(scene: Scene, query: PanelQuery) -> None:
    expr = without_variables(query.expr, scene.community)
    await eventually(lambda: scene.prometheus.values(expr), bool, within=10)


async def test_variables_are_filled(scene: Scene) -> None:
    filled = [
        await scene.prometheus.label_values(without_variables(selector, scene.community), label)
        for selector, label in variable_queries(DASHBOARD)
    ]
    assert filled == [[scene.community], sorted(item.funnel for item in scene.stage.definition.funnels)]


class TestHeadlines:
    async def test_entered(self, scene: Scene) -> None:
        async def stored() -> float:
            return sum(totals.entered for totals in (await scene.funnels()).values())

        assert await _equal(scene, "Entered", stored) == scene.story.totals.members * len(
            scene.stage.definition.funnels
        )

    async def test_orders(self, scene: Scene) -> None:
        async def stored() -> float:
            return sum((await scene.commerce()).sales.values())

        await _equal(scene, "Orders", stored)

    async def test_revenue_to_the_cent(self, scene: Scene) -> None:
        async def stored() -> float:
            return -_balance(await scene.commerce(), AccountKind.REVENUE) / 100

        assert await _equal(scene, "Revenue", stored) == scene.story.totals.revenue_minor / 100

    async def test_refunds_to_the_cent(self, scene: Scene) -> None:
        async def stored() -> float:
            return _balance(await scene.commerce(), AccountKind.REFUNDS) / 100

        assert await _equal(scene, "Refunds", stored) == scene.story.totals.refunds_minor / 100

    async def test_repeat_customers(self, scene: Scene) -> None:
        async def stored() -> float:
            return (await scene.commerce()).customers[scene.community][1]

        await _equal(scene, "Repeat customers", stored)

    async def test_held_commissions_to_the_cent(self, scene: Scene) -> None:
        async def stored() -> float:
            return -_balance(await scene.commerce(), AccountKind.COMMISSION_HELD) / 100

        await _equal(scene, "Held commissions", stored)

    async def test_messages(self, scene: Scene) -> None:
        async def stored() -> float:
            groups = await scene.read("engagement", read_group_totals, scene.community)
            return float(sum(group.messages for group in groups))

        await _equal(scene, "Messages", stored)

    async def test_distinct_speakers(self, scene: Scene) -> None:
        async def stored() -> float:
            totals = await scene.read("engagement", read_community_totals, scene.community)
            return float(totals.speakers)

        await _equal(scene, "Distinct speakers", stored)


class TestDetails:
    @pytest.mark.parametrize("funnel", ["growth", "shop-loop"])
    async def test_stages_reached(self, scene: Scene, funnel: str) -> None:
        async def stored() -> dict[str, float]:
            return dict((await scene.funnels())[funnel].reached)

        await _agree(lambda: scene.by("$funnel: stages reached", "stage", funnel=funnel), stored)

    async def test_revenue_by_product(self, scene: Scene) -> None:
        async def stored() -> dict[str, float]:
            prefix = f"{AccountKind.REVENUE.value}:"
            balances = (await scene.commerce()).balances.items()
            found = {key[1]: -minor / 100 for key, minor in balances if key[1].startswith(prefix)}
            return {account.removeprefix(prefix): major for account, major in found.items()}

        await _agree(lambda: scene.by("Revenue by product", "product"), stored)

    async def test_decisions_by_check(self, scene: Scene) -> None:
        async def stored() -> dict[tuple[str, ...], float]:
            return {key[1:]: count for key, count in (await scene.moderation()).decisions.items()}

        async def shown() -> dict[tuple[str, ...], float]:
            series = await scene.prometheus.values(scene.expr("Moderation decisions by check"))
            return {(dict(labels)["verdict"], dict(labels)["check"]): value for labels, value in series.items()}

        await _agree(shown, stored)

    async def test_sanctions(self, scene: Scene) -> None:
        async def stored() -> dict[str, float]:
            return {key[1]: count for key, count in (await scene.moderation()).sanctions.items()}

        await _agree(lambda: scene.by("Sanctions", "rung"), stored)

    async def test_dead_letters_are_those_of_the_stream(self, scene: Scene) -> None:
        async def stored() -> float:
            client = await nats.connect(scene.stage.stack.nats_url)
            kept = (await client.jetstream().stream_info(DEAD.name)).state.messages
            await client.close()
            return kept

        async def shown() -> float:
            return sum((await scene.prometheus.values(scene.expr("Dead letters"))).values())

        readers = [consumer for consumer in CONSUMERS if MessagePosted.TYPE in consumer.subjects]
        assert await _agree(shown, stored) == len(readers)

    async def test_everything_is_ready(self, scene: Scene) -> None:
        ready = await scene.by("Readiness", "service")
        assert ready == dict.fromkeys(scene.stage.services, 1)

    async def test_every_consumer_has_an_age(self, scene: Scene) -> None:
        expr = without_variables(expression(DASHBOARD, "Event age", "B"))
        ages = await scene.prometheus.by(expr, "consumer")
        assert ages.keys() == {consumer.durable for consumer in CONSUMERS}


class TestRules:
    async def test_recorded_ages_are_there(self, scene: Scene) -> None:
        expr = "consumer:shequn_event_age_seconds:p99_5m"
        assert await eventually(lambda: scene.prometheus.values(expr), bool, within=10)

    async def test_the_dead_letters_are_told(self, scene: Scene) -> None:
        async def firing() -> set[str]:
            alerts = (await scene.prometheus.ask("alerts"))["alerts"]
            return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

        await eventually(firing, lambda names: "DeadLetters" in names, within=10)
        assert await firing() == {"DeadLetters"}


def _balance(totals: CommerceTotals, kind: AccountKind) -> int:
    names = (kind.value, f"{kind.value}:")
    return sum(
        minor for (_, name, _), minor in totals.balances.items() if name == names[0] or name.startswith(names[1])
    )
