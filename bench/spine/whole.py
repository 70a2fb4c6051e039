"""The whole stack under load: how soon a webhook has its effect, and how much memory each process takes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.child import Child, child
from bench.spine.consumers import Variant
from bench.spine.definition import COMMUNITY
from bench.spine.stack import BenchError, Place, new_folder, running_stack
from bench.spine.throughput import prepare, publish, watching
from bench.spine.webhooks import CHANNEL, SECRET
from bench.usage import CpuMeter, resident_mb
from shequn.local import LocalSettings, standard_applications

SERVICES = ("intake", "moderation", "engagement", "commerce")
_BESIDE = ("consumer", "worker", "prefect")
_MEASURED = (*SERVICES, *_BESIDE, "nats", "postgres")
_CHANNELS = {CHANNEL: {"adapter": "generic", "community": COMMUNITY, "secrets": [SECRET]}}


@dataclass(frozen=True, slots=True)
class WholeLoad:
    """What the whole stack is given.

    Attributes:
        rate: webhooks a second.
        warm_up: webhooks before the measurement.
        webhooks: webhooks that are measured.
        chat: messages that are replayed afterwards, before memory is read.
    """

    rate: float
    warm_up: int
    webhooks: int
    chat: int


async def measure_whole(load: WholeLoad) -> dict[str, float]:
    """Measure the whole stack, freshly started.

    Returns:
        ``webhook_to_effect_p50_ms`` and so on; ``rss_mb_max`` of the four services, ``rss_mb_NAME`` of each process.
    """
    with new_folder() as name:
        folder = Path(name)
        applications = standard_applications(LocalSettings(data_dir=folder))
        channels = {"SHEQUN_INTAKE_CHANNELS": json.dumps(_CHANNELS)}
        async with running_stack(folder, applications, prefect=True, environment=channels) as place:
            figures = await _measure_webhooks(place, load)
            await _replay(place, load)
            return {**figures, **_memory(place)}


async def _measure_webhooks(place: Place, load: WholeLoad) -> dict[str, float]:
    url = f"{place.stack.processes['intake'].spec.urls['http']}/hooks/{CHANNEL}"
    environment = {"SHEQUN_POSTGRES_DSN": place.stack.postgres_dsn}
    async with child("bench.spine.webhooks", environment) as driver:
        await _send(driver, url, load.rate, 0, load.warm_up)
        pids = place.pids(_MEASURED)
        before = CpuMeter.read({**pids, "driver": driver.pid})
        result = await _send(driver, url, load.rate, load.warm_up, load.webhooks)
        used = CpuMeter.read({**place.pids(_MEASURED), "driver": driver.pid}).since(before)
        await driver.ask({"finish": True})
    seconds = load.webhooks / load.rate
    return {
        **_percentiles("webhook_to_effect", result["effect_ms"]),
        **_percentiles("webhook_to_answer", result["answer_ms"]),
        **{f"webhook_cpu_percent_{name}": 100 * value / seconds for name, value in used.items()},
    }


async def _send(driver: Child, url: str, rate: float, first: int, count: int) -> dict[str, Any]:
    result = await driver.ask({"url": url, "rate": rate, "first": first, "count": count})
    accepted = sum(times for status, times in result["statuses"].items() if status.startswith("2"))
    if accepted != count or result["missing"]:
        raise BenchError(f"of {count} webhooks, answers were {result['statuses']}, {result['missing']} had no effect")
    return result


async def _replay(place: Place, load: WholeLoad) -> None:
    """Put chats through, so that memory is read after work and not before."""
    sent = load.warm_up + load.webhooks
    async with (
        child("bench.spine.publisher", {"SHEQUN_NATS_URL": place.stack.nats_url}) as publisher,
        watching(place.stack.postgres_dsn, Variant.SERVICES) as watches,
    ):
        await prepare(publisher, 0, load.chat)
        await publish(publisher, watches, 0, load.chat, already=sent)


def _memory(place: Place) -> dict[str, float]:
    # PostgreSQL's processes share most of their memory, so a sum of theirs says nothing.
    resident = {name: resident_mb(pid) for name, pid in place.pids([*SERVICES, *_BESIDE]).items()}
    largest = max(resident[name] for name in SERVICES)
    return {"rss_mb_max": largest, **{f"rss_mb_{name}": value for name, value in resident.items()}}


def _percentiles(name: str, values: Sequence[float]) -> Mapping[str, float]:
    cuts = quantiles(values, n=100, method="inclusive")
    return {f"{name}_p50_ms": cuts[49], f"{name}_p99_ms": cuts[98]}
