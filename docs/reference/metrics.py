"""The page of all metrics, and the closed sets that labels are taken from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from prometheus_client import CollectorRegistry

PAGE = Path(__file__).parent / "metrics.md"
FOREIGN = ("process_", "shequn_bus_")
"""Prefixes of what libraries declare: the process's own figures, and FastStream's."""

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "action": "the types of actions, in the contracts",
        "adapter": "the adapters that are set up",
        "channel": "the channels of intake that are set up, and `unknown`",
        "check": "the checks of moderation, and `none`",
        "community": "the communities that have a definition",
        "consumer": "the durable consumers, in `shequn/contracts/subjects.py`",
        "flow": "due-wave, daily-report",
        "funnel": "the funnels of a community's definition",
        "goal": "the goals of a funnel's definition",
        "group": "the groups of a community's definition",
        "loop": "the background loops of a process",
        "outcome": "folded, passed, rejected",
        "product": "the products of a community's definition",
        "reason": "the reasons named in code: of dead letters, parked payments, guards, exits",
        "rung": "the rungs of the ladder of sanctions",
        "stage": "the stages of a funnel's definition",
        "standing": "active, left",
        "state": "the states of an enrollment",
        "status": "HTTP status codes; the statuses of an action",
        "tier": "the activity tiers; the numbers of a product's seat tiers",
        "verdict": "the verdicts of moderation",
        "window": "the windows of activity tiers, in days",
    }
)
"""What bounds the values of each label. Ids never stand in labels: their number has no bound."""

_INTRODUCTION = """\
# Metrics

Written by `python -m docs.reference`; a test compares it with the code. Every process shows its metrics on
`GET /metrics`. Gauges of a business figure come from the store: they survive restarts and replays, and every replica
shows the same, so take `max by (…)` of the replicas before adding up. Counters (`_total`) and histograms are of one
process: add up their rates. Money is in minor units of the community's currency.

每个进程在 `GET /metrics` 给出指标。业务数字是从库里读的（gauge），重启、重放都不会变；多个副本给的是同一个数，
先 `max by (…)` 再相加。计数器（`_total`）和直方图是单个进程的，按速率相加。金额单位是分。
"""


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """One metric.

    Attributes:
        name: as Prometheus shows it; of a histogram without ``_bucket``, ``_sum`` and ``_count``.
        kind: counter, gauge or histogram.
        labels: in the order of declaration.
        text: its help text.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str

    @property
    def samples(self) -> tuple[str, ...]:
        """The names that queries use."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)

    @property
    def foreign(self) -> bool:
        """Whether a library declares it."""
        return self.name.startswith(FOREIGN)


def metrics_of(registry: CollectorRegistry) -> list[Metric]:
    """Give what a registry declares, also what has no values yet."""
    found = []
    for collector in registry._collector_to_names:  # noqa: SLF001  # collect() hides labels until there are values
        labels = tuple(getattr(collector, "_labelnames", ()))
        for family in collector.collect():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found.append(Metric(name, family.type, labels, family.documentation))
    return found


def by_process(registries: Mapping[str, CollectorRegistry]) -> dict[Metric, list[str]]:
    """Give every metric with the processes that show it, by name."""
    shown: dict[Metric, list[str]] = {}
    for process, registry in registries.items():
        for metric in metrics_of(registry):
            shown.setdefault(metric, []).append(process)
    return dict(sorted(shown.items()))


def rendered(registries: Mapping[str, CollectorRegistry]) -> str:
    """Write the page."""
    shown = by_process(registries)
    everywhere = {metric for metric, where in shown.items() if len(where) == len(registries)}
    parts = [_INTRODUCTION, _section("Every process", everywhere)]
    for process in registries:
        own = [metric for metric, where in shown.items() if process in where and metric not in everywhere]
        parts.append(_section(process.capitalize(), own))
    labels = ["## Labels", "", "| label | values |", "| --- | --- |"]
    labels += [f"| `{label}` | {values} |" for label, values in LABELS.items()]
    labels += ["", "Labels of `shequn_bus_*` are FastStream's: processes, consumers, subjects and kinds of errors."]
    return "\n".join([*parts, "\n".join(labels)]) + "\n"


def _section(title: str, metrics: Iterable[Metric]) -> str:
    rows = [f"## {title}", "", "| metric | type | labels | meaning |", "| --- | --- | --- | --- |"]
    for metric in sorted(metrics):
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.text.rstrip('.')} |")
    return "\n".join(rows) + "\n"
