"""The live screen: what a community does, from the figures of its services."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from shequn.cli.figures import Figures, counted_totals
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.funnel import FunnelDefinition
from shequn.sim.prediction import Totals

_BAR = 12
_MILLISECONDS = 1_000
_CONSUMERS = {
    "engagement-chat": "chat → activity",
    "moderation-chat": "chat → moderation",
    "commerce-payments": "payment → order",
    "funnels-commerce": "payment → funnel",
}


@dataclass(frozen=True, slots=True)
class Screen:
    """Draws figures of one community.

    Attributes:
        definition: the community.
        addresses: what a person may open, by name.
    """

    definition: CommunityDefinition
    addresses: Mapping[str, str]

    def draw(self, figures: Figures, now: datetime, note: str) -> RenderableType:
        """Draw everything.

        Args:
            figures: what the services show.
            now: the time of the stack's clock.
            note: one line about what goes on.
        """
        funnels = Table.grid(expand=True, padding=(0, 1))
        funnels.add_row(*(self._funnel(figures, funnel) for funnel in self.definition.funnels))
        details = Table.grid(expand=True, padding=(0, 1))
        details.add_row(self._money(figures), self._groups(figures), self._order(figures))
        head = Text.assemble(
            (self.definition.name.in_language("zh"), "bold"),
            f"  {self.definition.name.in_language('en')}   ",
            (f"{now:%Y-%m-%d %H:%M}", "cyan"),
            f"   {note}",
        )
        links = Text("   ".join(f"{name} {address}" for name, address in self.addresses.items()), style="dim")
        return Group(head, funnels, details, links)

    def line(self, figures: Figures, now: datetime, note: str) -> str:
        """Say the same in one line, for output that is no terminal."""
        totals = counted_totals(figures, self.definition.community, self.definition.funnels[0].funnel)
        stages = " → ".join(
            f"{stage.id} {totals.stages.get(stage.id, 0)}" for stage in self.definition.funnels[0].stages
        )
        return (
            f"{now:%Y-%m-%d %H:%M}  {stages}  messages {totals.messages}  orders {totals.orders}  "
            f"revenue {self._amount(totals.revenue_minor)}  flagged {totals.flagged}  {note}"
        )

    def summary(self, predicted: Totals, counted: Totals) -> Table:
        """Compare what the story predicts with what the services counted."""
        table = Table("", "predicted", "counted", "", title="summary")
        rows = _flat(predicted)
        for name, value in rows.items():
            seen = _flat(counted).get(name, 0)
            shown = [self._amount(number) if name.endswith("_minor") else str(number) for number in (value, seen)]
            mark = Text("✓", style="green") if seen == value else Text("✗", style="bold red")
            table.add_row(name.removesuffix("_minor").replace("_", " "), *shown, mark)
        return table

    def _funnel(self, figures: Figures, funnel: FunnelDefinition) -> Panel:
        of = {"community": self.definition.community, "funnel": funnel.funnel}
        reached = figures.by("shequn_funnel_stage_reached", "stage", **of)
        active = figures.by("shequn_funnel_active", "stage", **of)
        entered = figures.total("shequn_funnel_entered", **of)
        table = Table(
            "stage",
            Column(no_wrap=True, min_width=_BAR),
            "reached",
            "of all",
            "of before",
            "now",
            expand=True,
            box=None,
            header_style="dim",
        )
        before = entered
        for stage in funnel.stages:
            count = reached.get(stage.id, 0)
            filled = round(_BAR * count / entered) if entered else 0
            table.add_row(
                f"{stage.name.zh} {stage.name.en}",
                Text("█" * filled, style="green") + Text("░" * (_BAR - filled), style="dim"),
                f"{count:.0f}",
                f"{count / entered:.0%}" if entered else "–",
                f"{count / before:.0%}" if before else "–",
                f"{active.get(stage.id, 0):.0f}",
            )
            before = count
        return Panel(table, title=funnel.funnel, border_style="blue")

    def _money(self, figures: Figures) -> Panel:
        of = {"community": self.definition.community}
        revenue = figures.by("shequn_commerce_revenue_minor", "product", **of)
        sold = figures.by("shequn_commerce_orders_sold", "product", **of)
        table = Table("product", "sold", "revenue", box=None, header_style="dim")
        for product in self.definition.products:
            table.add_row(
                product.name.in_language("zh") or product.id,
                f"{sold.get(product.id, 0):.0f}",
                self._amount(revenue.get(product.id, 0)),
            )
        table.add_section()
        table.add_row("total", f"{sum(sold.values()):.0f}", self._amount(sum(revenue.values())), style="bold")
        table.add_row("refunded", "", self._amount(figures.total("shequn_commerce_refunds_minor", **of)))
        table.add_row(
            "commissions held", "", self._amount(figures.total("shequn_commerce_commissions_held_minor", **of))
        )
        return Panel(table, title=f"revenue, {self.definition.currency}", border_style="yellow")

    def _groups(self, figures: Figures) -> Panel:
        of = {"community": self.definition.community}
        messages = figures.by("shequn_engagement_messages", "group", **of)
        speakers = figures.by("shequn_engagement_speakers", "group", **of)
        table = Table("group", "messages", "speakers", box=None, header_style="dim")
        for group in self.definition.groups:
            table.add_row(
                group.name.in_language("zh") or group.id,
                f"{messages.get(group.id, 0):.0f}",
                f"{speakers.get(group.id, 0):.0f}",
            )
        table.add_section()
        tiers = figures.by("shequn_engagement_members_by_tier", "tier", window="7", **of)
        for tier in ("high", "middle", "low"):
            table.add_row(f"{tier} tier, 7 days", "", f"{tiers.get(tier, 0):.0f}")
        participation = figures.total("shequn_engagement_participation_ratio", **of)
        table.add_row("participation today", "", f"{participation:.0%}")
        return Panel(table, title="groups", border_style="magenta")

    def _order(self, figures: Figures) -> Panel:
        of = {"community": self.definition.community}
        checks = figures.by("shequn_moderation_decisions", "check", **of)
        rungs = figures.by("shequn_moderation_sanctions", "rung", **of)
        table = Table("moderation", "", box=None, header_style="dim")
        for check, count in sorted(checks.items()):
            table.add_row("passed" if check == "none" else f"flagged: {check}", f"{count:.0f}")
        for rung, count in sorted(rungs.items()):
            table.add_row(f"sanction: {rung}", f"{count:.0f}")
        table.add_section()
        table.add_row(Text("event age, p50 / p99", style="dim"), "")
        for consumer, name in _CONSUMERS.items():
            table.add_row(name, _age(figures, consumer))
        table.add_row("dead letters", f"{figures.total('shequn_dead_letters_total'):.0f}")
        return Panel(table, title="order and speed", border_style="red")

    def _amount(self, minor: float) -> str:
        return f"{minor / 100:,.2f}"


def _flat(totals: Totals) -> dict[str, int]:
    values = totals.as_dict()
    stages: dict[str, int] = values.pop("stages")
    return values | {f"stage {name}": count for name, count in stages.items()}


def _age(figures: Figures, consumer: str) -> str:
    values = [figures.quantile("shequn_event_age_seconds", quantile, consumer=consumer) for quantile in (0.5, 0.99)]
    return " / ".join("–" if value is None else f"{value * _MILLISECONDS:.0f} ms" for value in values)
