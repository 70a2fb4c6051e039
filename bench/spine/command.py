"""`bench spine`: rounds of all measurements, one after the other, and the report."""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.child import ChildError
from bench.machine import describe_machine
from bench.report import Bar, Report, collect
from bench.spine.chat import read_chat
from bench.spine.consumers import Variant
from bench.spine.stack import BenchError
from bench.spine.throughput import Load, measure_throughput
from bench.spine.whole import WholeLoad, measure_whole
from shequn.local import EndedBySignals, LocalStackError
from shequn.runtime.failures import AppError

BARS = {
    "chat_events_per_second": Bar(least=4_000),
    "ratio_to_naive": Bar(least=4),
    "ratio_to_ceiling": Bar(),
    "webhook_to_effect_p50_ms": Bar(most=25),
    "webhook_to_effect_p99_ms": Bar(most=100),
    "rss_mb_max": Bar(most=200),
}
UNITS = {"_per_second": "events/s", "_ms": "ms", "rss_mb_": "MB", "cpu_us_": "µs/event", "webhook_cpu_percent_": "%"}
WEBHOOKS_PER_SECOND = 200.0
_INTERRUPTED = 130
_WARM_UP = 500

err = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much each round measures: messages, and seconds of webhooks."""

    rounds: int
    events: int
    naive_events: int
    webhook_seconds: float


def spine(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the table.")] = False,
    strict: Annotated[bool, typer.Option(help="Exit with code 1 when a figure misses its bar.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is measured.")] = 3,
    events: Annotated[int, typer.Option(min=1_000, help="Chat messages per round.")] = 20_000,
    naive_events: Annotated[int, typer.Option(min=100, help="Chat messages of the naive variant.")] = 4_000,
    webhook_seconds: Annotated[float, typer.Option(min=1, help="How long webhooks are sent.")] = 10.0,
    limit: Annotated[float, typer.Option(min=10, help="Seconds until the bench gives up.")] = 1_800.0,
) -> None:
    """Measure chat through both chat consumers, webhooks to effects, and memory.

    Everything runs on this machine: NATS that syncs always, PostgreSQL with fsync, the services, the load. Each
    measurement has a fresh data folder. Ratios are of the same round.
    """
    try:
        report = asyncio.run(_measure(Sizes(rounds, events, naive_events, webhook_seconds), limit))
    except (BenchError, ChildError, LocalStackError, AppError, TimeoutError) as error:
        why = f"not done within {limit:g} s" if isinstance(error, TimeoutError) else str(error)
        err.print(f"[red]error:[/red] {why}", highlight=False)
        raise typer.Exit(1) from error
    if report is None:
        raise typer.Exit(_INTERRUPTED)
    if as_json:
        sys.stdout.write(report.to_json() + "\n")
    else:
        Console().print(report.table())
    if strict and report.missed:
        raise typer.Exit(1)


async def _measure(sizes: Sizes, limit: float) -> Report | None:
    """Run all rounds; none when a signal ended them."""
    async with EndedBySignals(), asyncio.timeout(limit):
        with tempfile.TemporaryDirectory() as folder:
            machine = describe_machine(Path(folder))
        values = [await _round(number, sizes) for number in range(sizes.rounds)]
        notes = {"input": read_chat().source, "events": sizes.events, "naive_events": sizes.naive_events}
        return Report("spine", collect(values, UNITS, BARS), machine, notes)
    return None


async def _round(number: int, sizes: Sizes) -> dict[str, float]:
    """Measure everything once. Every other round goes backwards, so that a slow phase of the machine hits all alike."""
    parts: list[tuple[str, Callable[[], Awaitable[dict[str, float]]]]] = [
        ("services", lambda: measure_throughput(Variant.SERVICES, Load(_WARM_UP, sizes.events, sizes.events))),
        ("naive", lambda: measure_throughput(Variant.NAIVE, Load(_WARM_UP, sizes.naive_events))),
        ("ceiling", lambda: measure_throughput(Variant.CEILING, Load(_WARM_UP, sizes.events))),
        ("whole", lambda: measure_whole(_whole_load(sizes))),
    ]
    results = {}
    for name, measure in parts if number % 2 == 0 else reversed(parts):
        err.print(f"round {number + 1} of {sizes.rounds}: {name}", highlight=False)
        results[name] = await measure()
    return figures_of(results)


def figures_of(results: dict[str, dict[str, float]]) -> dict[str, float]:
    """Give one round's figures from what was measured of each variant."""
    services = results["services"]
    rates = {name: results[name]["per_second"] for name in ("services", "naive", "ceiling")}
    return {
        "chat_events_per_second": rates["services"],
        "ratio_to_naive": rates["services"] / rates["naive"],
        "ratio_to_ceiling": rates["services"] / rates["ceiling"],
        "chat_drain_events_per_second": services["drain_per_second"],
        "naive_events_per_second": rates["naive"],
        "ceiling_events_per_second": rates["ceiling"],
        **{name: value for name, value in services.items() if name.startswith("cpu_us_")},
        **results["whole"],
    }


def _whole_load(sizes: Sizes) -> WholeLoad:
    webhooks = round(sizes.webhook_seconds * WEBHOOKS_PER_SECOND)
    return WholeLoad(WEBHOOKS_PER_SECOND, round(2 * WEBHOOKS_PER_SECOND), webhooks, sizes.events)
