"""Engagement in figures: gauges set from the store, so a restart or a replay never bends them."""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge

from services.engagement import store
from services.engagement.domain.days import day_start, month_start
from services.engagement.domain.totals import CommunityTotals, GroupTotals, Pulse
from shequn.runtime.clock import Clock
from shequn.runtime.definitions import DefinitionFollower
from shequn.runtime.store.types import Connection
from shequn.runtime.telemetry import replace_children


@dataclass(frozen=True, slots=True)
class CommunityFigures:
    """What is shown of one community."""

    community: str
    groups: Sequence[GroupTotals]
    totals: CommunityTotals
    pulse: Pulse


class EngagementMetrics:
    """The gauges. Distinct speakers stand beside messages: a few talkers make a group look alive."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics."""

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"shequn_engagement_{name}", text, ("community", *labels), registry=registry)

        self.messages = gauge("messages", "Messages posted in all, replies included", "group")
        self.replies = gauge("replies", "Messages in all that answer another one", "group")
        self.reactions = gauge("reactions", "Reactions given in all", "group")
        self.speakers = gauge("speakers", "Distinct members who ever posted in the group", "group")
        self.community_speakers = gauge("community_speakers", "Distinct members who ever posted in the community")
        self.members_seen = gauge("members_seen", "Distinct members who ever did anything")
        self.members_by_tier = gauge(
            "members_by_tier", "Members ever seen, by activity tier over a window of days", "tier", "window"
        )
        self.daily_active = gauge("dau", "Members who did anything today, in the community's zone")
        self.monthly_active = gauge("mau", "Members who did anything this month, in the community's zone")
        self.participation = gauge("participation_ratio", "Members who posted or replied today, of those seen today")
        self.points_issued = gauge("points_issued", "Points issued to members in all")

    def show(self, figures: Sequence[CommunityFigures]) -> None:
        """Set all gauges; communities and groups that are gone go from the metrics."""
        by_group = [((item.community, group.group), group) for item in figures for group in item.groups]
        replace_children(self.messages, {labels: group.messages for labels, group in by_group})
        replace_children(self.replies, {labels: group.replies for labels, group in by_group})
        replace_children(self.reactions, {labels: group.reactions for labels, group in by_group})
        replace_children(self.speakers, {labels: group.speakers for labels, group in by_group})
        by_community = [((item.community,), item) for item in figures]
        replace_children(self.community_speakers, {labels: item.totals.speakers for labels, item in by_community})
        replace_children(self.members_seen, {labels: item.totals.seen for labels, item in by_community})
        replace_children(self.points_issued, {labels: item.totals.points for labels, item in by_community})
        replace_children(self.daily_active, {labels: item.pulse.seen_today for labels, item in by_community})
        replace_children(self.monthly_active, {labels: item.pulse.seen_this_month for labels, item in by_community})
        replace_children(self.participation, {labels: item.pulse.participation for labels, item in by_community})
        replace_children(
            self.members_by_tier,
            {
                (item.community, tier.value, str(days)): count
                for item in figures
                for days, tiers in item.pulse.tiers.items()
                for tier, count in tiers.items()
            },
        )


class EngagementExporter:
    """Reads the figures of all communities that have a definition."""

    def __init__(self, metrics: EngagementMetrics, definitions: DefinitionFollower, clock: Clock) -> None:
        """Prepare."""
        self._metrics = metrics
        self._definitions = definitions
        self._clock = clock

    async def refresh(self, connection: Connection) -> None:
        """Set the gauges from the store."""
        communities = self._definitions.communities
        self._metrics.show([await self._figures(connection, community) for community in communities])

    async def _figures(self, connection: Connection, community: str) -> CommunityFigures:
        definition = self._definitions.current(community)
        now = self._clock.now()
        pulse = await store.read_pulse(
            connection,
            community,
            now=now,
            day_start=day_start(now, definition.timezone),
            month_start=month_start(now, definition.timezone),
            windows_days=definition.engagement.tier_windows_days,
        )
        groups = await store.read_group_totals(connection, community)
        totals = await store.read_community_totals(connection, community)
        return CommunityFigures(community, groups, totals, pulse)
