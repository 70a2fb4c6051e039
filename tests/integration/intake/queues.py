"""The delivery queue in a real store, with adapters that do as a test says."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from prometheus_client import CollectorRegistry

from services.intake import store as sql
from services.intake.claims import Claims
from services.intake.delivery import Delivery
from services.intake.domain.routing import priority_of
from services.intake.metrics import IntakeMetrics
from services.intake.settings import IntakeSettings
from shequn.adapters import Adapter, AdapterManifest, AdapterSettings, AddressedAction, Label, Outcome
from shequn.contracts.actions import DeleteMessage, SendMessage
from shequn.contracts.envelope import Envelope
from shequn.runtime.store.engine import Store
from tests.unit.intake.builders import NOW, FixedClock, book, environment

TITLE = Label(zh="试", en="Test")
ACTIONS = (SendMessage, DeleteMessage)


class Forgetful(Adapter[AdapterSettings]):
    """A platform that does not recognise a repeated key."""

    manifest = AdapterManifest(name="forgetful", title=TITLE, settings=AdapterSettings, actions=ACTIONS)

    def __init__(self) -> None:
        super().__init__(AdapterSettings(), environment())
        self.executed: list[str] = []
        self.before: Callable[[str], None] = lambda _: None
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = asyncio.Event()

    async def execute(self, action: AddressedAction, idempotency_key: str) -> Outcome:
        self.busy.set()
        await self.gate.wait()
        self.before(idempotency_key)
        self.executed.append(idempotency_key)
        return Outcome.delivered(f"receipt-{idempotency_key}")


class Mindful(Forgetful):
    """A platform that recognises a repeated key."""

    manifest = AdapterManifest(
        name="mindful", title=TITLE, settings=AdapterSettings, actions=ACTIONS, deduplicates=True
    )


class Answering(Forgetful):
    """Gives back, or raises, what a test says, for the key ``odd``."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    async def execute(self, action: AddressedAction, idempotency_key: str) -> Outcome:
        outcome = await super().execute(action, idempotency_key)
        if idempotency_key != "odd":
            return outcome
        if isinstance(self.answer, BaseException):
            raise self.answer
        odd: Outcome = self.answer
        return odd


class OnlyOne:
    """Every platform has the same adapter."""

    def __init__(self, adapter: Adapter[Any]) -> None:
        self.adapter = adapter

    def for_platform(self, _: str) -> Adapter[Any]:
        return self.adapter


class Queue:
    """The queue and what delivers from it."""

    def __init__(self, pool: Store, dsn: str) -> None:
        self.pool = pool
        self.dsn = dsn
        self.clock = FixedClock()
        self.claims: list[Claims] = []
        self.registry = CollectorRegistry()

    def replica(self) -> Claims:
        claims = Claims(self.pool)
        self.claims.append(claims)
        return claims

    def delivery(self, adapter: Adapter[Any], **settings: Any) -> Delivery:
        values = IntakeSettings(**{"intake_retry_seconds": 2.0, "intake_account_grace_seconds": 5.0, **settings})
        outgoing: Any = OnlyOne(adapter)
        self.registry = CollectorRegistry()
        metrics = IntakeMetrics(self.registry)
        return Delivery(self.replica(), outgoing, book(), self.clock, values, metrics, lambda: None)

    async def put(self, *commands: Envelope) -> None:
        rows = [
            (one.data.idempotency_key, one.id, one.type, one.community, one.model_dump_json(), priority_of(one), NOW)
            for one in commands
        ]
        async with self.pool.connection() as connection:
            await connection.executemany(
                "INSERT INTO deliveries (idempotency_key, action_id, action, community, command, priority, due_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                rows,
            )

    async def statuses(self) -> dict[str, str]:
        async with self.pool.connection() as connection:
            return dict(await connection.fetch("SELECT idempotency_key, status FROM deliveries"))

    async def told(self) -> list[tuple[str, str]]:
        async with self.pool.connection() as connection:
            rows = await connection.fetch("SELECT payload FROM outbox ORDER BY seq")
        found = [orjson.loads(row["payload"])["data"] for row in rows]
        return [(data["idempotency_key"], data["status"]) for data in found]

    def counted(self, adapter: str, status: str) -> float:
        """How many outcomes the delivery that was made last has counted."""
        labels = {"adapter": adapter, "status": status}
        return self.registry.get_sample_value("shequn_intake_outcomes_total", labels) or 0

    async def totals(self) -> sql.Totals:
        async with self.pool.connection() as connection:
            return await sql.read_totals(connection)
