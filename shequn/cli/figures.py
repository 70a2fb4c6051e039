"""Reads the figures that a running stack shows on its metrics ports."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from shequn.sim.prediction import Totals

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """All samples of all processes at one moment, summed where several processes show the same series."""

    samples: Mapping[str, Mapping[Labels, float]] = field(default_factory=dict)

    def total(self, name: str, **wanted: str) -> float:
        """Add up a metric over all series that carry the wanted labels."""
        return sum(self.by(name, None, **wanted).values())

    def by(self, name: str, label: str | None, **wanted: str) -> dict[str, float]:
        """Add up a metric per value of a label."""
        sums: dict[str, float] = defaultdict(float)
        for labels, value in self.samples.get(name, {}).items():
            found = dict(labels)
            if all(found.get(key) == expected for key, expected in wanted.items()):
                sums[found.get(label, "") if label else ""] += value
        return dict(sums)

    def quantile(self, histogram: str, quantile: float, **wanted: str) -> float | None:
        """Estimate a quantile of a histogram, as Prometheus does: linear inside a bucket. None without observations."""
        buckets = sorted(
            (float(bound), count) for bound, count in self.by(f"{histogram}_bucket", "le", **wanted).items()
        )
        if not buckets or not buckets[-1][1]:
            return None
        rank, below, lower = quantile * buckets[-1][1], 0.0, 0.0
        for bound, count in buckets:
            if count >= rank:
                inside = count - below
                if bound == float("inf") or not inside:
                    return lower
                return lower + (bound - lower) * (rank - below) / inside
            below, lower = count, bound
        return lower


async def read_figures(client: httpx2.AsyncClient, addresses: Mapping[str, str]) -> Figures:
    """Read the metrics of all processes; one that does not answer is left out this time.

    Args:
        client: an HTTP client.
        addresses: ``http://host:port`` by process.
    """
    pages = await asyncio.gather(*(_read(client, address) for address in addresses.values()))
    samples: dict[str, dict[Labels, float]] = defaultdict(lambda: defaultdict(float))
    for page in pages:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                samples[sample.name][tuple(sorted(sample.labels.items()))] += sample.value
    return Figures(samples)


async def _read(client: httpx2.AsyncClient, address: str) -> str:
    try:
        answer = await client.get(f"{address}/metrics")
    except httpx2.HTTPError:
        return ""
    return answer.text


def counted_totals(figures: Figures, community: str, funnel: str) -> Totals:
    """Give the headline numbers as the services count them."""

    def whole(name: str, **wanted: str) -> int:
        return round(figures.total(name, community=community, **wanted))

    verdicts = figures.by("shequn_moderation_decisions", "verdict", community=community)
    stages = figures.by("shequn_funnel_stage_reached", "stage", community=community, funnel=funnel)
    return Totals(
        members=whole("shequn_funnel_entered", funnel=funnel),
        messages=whole("shequn_engagement_messages"),
        speakers=whole("shequn_engagement_community_speakers"),
        replies=whole("shequn_engagement_replies"),
        reactions=whole("shequn_engagement_reactions"),
        flagged=round(sum(count for verdict, count in verdicts.items() if verdict != "pass")),
        orders=whole("shequn_commerce_orders_sold"),
        revenue_minor=whole("shequn_commerce_revenue_minor"),
        refunds_minor=whole("shequn_commerce_refunds_minor"),
        customers=whole("shequn_commerce_customers"),
        repeat_customers=whole("shequn_commerce_repeat_customers"),
        referrals=whole("shequn_commerce_referrals"),
        commissions_held_minor=whole("shequn_commerce_commissions_held_minor"),
        stages={stage: round(count) for stage, count in stages.items()},
    )
