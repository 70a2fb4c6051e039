"""The live screen: what a community does, from the figures of its services."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rich.cells import cell_len
from rich.console import ConsoleDimensions, Group, RenderableType
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from shequn.cli.figures import Figures, counted_totals
from shequn.cli.layout import Fitting, Layout
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.funnel import FunnelDefinition, Stage
from shequn.sim.prediction import Totals

_MILLISECONDS = 1_000
_MINUTES = 100  # from so many seconds on, tenths say nothing
_CONSUMERS = {
    "engagement-chat": "chat → activity",
    "moderation-chat": "chat → checks",
    "commerce-payments": "payment → order",
    "funnels-commerce": "payment → funnel",
}
_TIERS = ("high", "middle", "low")


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is shown.

    Attributes:
        boxed: blocks have a frame, and stand beside each other.
        bar: cells of a stage's bar.
        gap: cells between columns, 1 or 2.
        sums: rows at most below the rows of products and groups.
        parts: flagged messages by check and sanctions by rung, not only their sums.
    """

    boxed: bool
    bar: int
    gap: int = 1
    sums: int = 4
    parts: bool = True


_WIDE = (Detail(boxed=True, bar=12, gap=2), Detail(boxed=True, bar=6))
_NARROW = (
    Detail(boxed=False, bar=12),
    Detail(boxed=False, bar=6),
    Detail(boxed=False, bar=0),
    Detail(boxed=False, bar=6, sums=2, parts=False),
    Detail(boxed=False, bar=0, sums=2, parts=False),
    Detail(boxed=False, bar=0, sums=1, parts=False),
)
_LEAST = _NARROW[-1]


@dataclass(frozen=True, slots=True)
class Screen:
    """Draws figures of one community.

    Attributes:
        definition: the community.
        addresses: what a person may open, by name.
    """

    definition: CommunityDefinition
    addresses: Mapping[str, str]
    _chosen: dict[int, dict[ConsoleDimensions, int]] = field(default_factory=dict, compare=False)

    def draw(self, figures: Figures, now: datetime, note: str) -> RenderableType:
        """Draw as much as the terminal has room for; what is drawn can be read.

        Args:
            figures: what the services show.
            now: the time of the stack's clock.
            note: one line about what goes on.
        """
        head = Text.assemble(
            (self.definition.name.in_language("zh"), "bold"),
            f"  {self.definition.name.in_language('en')}   ",
            (f"{now:%Y-%m-%d %H:%M}", "cyan"),
            f"   {note}",
            ("   Ctrl-C stops", "dim"),
        )
        layouts = [self._wide(figures, head, detail) for detail in _WIDE]
        layouts += [self._narrow(figures, head, detail) for detail in _NARROW]
        # A long note takes a second line, and gives it back.
        chosen = self._chosen.setdefault(head.cell_len, {})
        return Fitting([*layouts, self._column(figures, head)], chosen)

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

    def _amount(self, minor: float) -> str:
        """An amount in major units, with the digits of the community's currency."""
        return f"{self.definition.priced_in.major(round(minor)):,f}"

    def _wide(self, figures: Figures, head: Text, detail: Detail) -> Layout:
        """Funnels in a row, everything else in a row below."""
        funnels = _row(
            *(
                Panel(self._funnel(figures, funnel, detail), title=funnel.funnel, border_style="blue")
                for funnel in self.definition.funnels
            )
        )
        details = _row(
            Panel(self._money(figures, detail), title=f"revenue, {self.definition.currency}", border_style="yellow"),
            Panel(self._groups(figures, detail), title="groups", border_style="magenta"),
            Panel(self._order(figures, detail), title="order and speed", border_style="red"),
        )
        links = Text("   ".join(f"{name} {address}" for name, address in self.addresses.items()), style="dim")
        return Layout((head, funnels, details, links), (funnels, details))

    def _narrow(self, figures: Figures, head: Text, detail: Detail) -> Layout:
        """Funnels below each other with order and speed beside them; money and groups in a row below."""
        funnels = Group(*(self._funnel(figures, funnel, detail) for funnel in self.definition.funnels))
        above = _row(funnels, self._order(figures, detail))
        below = _row(self._money(figures, detail), self._groups(figures, detail))
        return Layout((head, above, below, self._ports()), (above, below))

    def _column(self, figures: Figures, head: Text) -> Layout:
        """Everything below each other."""
        funnels = (self._funnel(figures, funnel, _LEAST) for funnel in self.definition.funnels)
        others = (part(figures, _LEAST) for part in (self._money, self._groups, self._order))
        parts = (head, *funnels, *others, self._ports())
        return Layout(parts, parts)

    def _ports(self) -> Text:
        """The addresses in few words: all are on this machine."""
        hosts = dict.fromkeys(address.rpartition(":")[0] for address in self.addresses.values())
        ports = "  ".join(f"{name} {address.rpartition(':')[2]}" for name, address in self.addresses.items())
        return Text(f"{' '.join(hosts)}:  {ports}", style="dim")

    def _funnel(self, figures: Figures, funnel: FunnelDefinition, detail: Detail) -> Table:
        of = {"community": self.definition.community, "funnel": funnel.funnel}
        reached = figures.by("shequn_funnel_stage_reached", "stage", **of)
        active = figures.by("shequn_funnel_active", "stage", **of)
        entered = figures.total("shequn_funnel_entered", **of)
        bar = [Column(no_wrap=True, min_width=detail.bar)] if detail.bar else []
        numbers = [_number(name) for name in ("reached", "of all", "of prev", "now")]
        names = _name("stage" if detail.boxed else funnel.funnel, "blue", detail)
        names.min_width = None if detail.boxed else self._stage_width()
        table = _table(detail, names, *bar, *numbers)
        table.expand = detail.boxed
        before = entered
        for stage in funnel.stages:
            count = reached.get(stage.id, 0)
            table.add_row(
                _stage(stage),
                *([_bar(detail.bar, count / entered if entered else 0)] if detail.bar else ()),
                f"{count:.0f}",
                f"{count / entered:.0%}" if entered else "–",
                f"{count / before:.0%}" if before else "–",
                f"{active.get(stage.id, 0):.0f}",
            )
            before = count
        return table

    def _stage_width(self) -> int:
        """Cells of the longest stage's name: funnels below each other have their columns below each other."""
        return max(cell_len(_stage(stage)) for funnel in self.definition.funnels for stage in funnel.stages)

    def _money(self, figures: Figures, detail: Detail) -> Table:
        of = {"community": self.definition.community}
        revenue = figures.by("shequn_commerce_revenue_minor", "product", **of)
        sold = figures.by("shequn_commerce_orders_sold", "product", **of)
        title = "product" if detail.boxed else f"revenue, {self.definition.currency}"
        table = _table(detail, _name(title, "yellow", detail), _number("sold"), _number("amount"))
        for product in self.definition.products:
            table.add_row(
                product.name.in_language("zh") or product.id,
                f"{sold.get(product.id, 0):.0f}",
                self._amount(revenue.get(product.id, 0)),
            )
        sums = (
            ("total", f"{sum(sold.values()):.0f}", sum(revenue.values())),
            ("refunded", "", figures.total("shequn_commerce_refunds_minor", **of)),
            ("commissions held", "", figures.total("shequn_commerce_commissions_held_minor", **of)),
        )
        for name, count, amount in sums[: detail.sums]:
            table.add_row(name, count, self._amount(amount), style="bold" if name == "total" else None)
        return table

    def _groups(self, figures: Figures, detail: Detail) -> Table:
        of = {"community": self.definition.community}
        messages = figures.by("shequn_engagement_messages", "group", **of)
        speakers = figures.by("shequn_engagement_speakers", "group", **of)
        title = _name("group" if detail.boxed else "groups", "magenta", detail)
        table = _table(detail, title, _number("messages"), _number("speakers"))
        for group in self.definition.groups:
            table.add_row(
                group.name.in_language("zh") or group.id,
                f"{messages.get(group.id, 0):.0f}",
                f"{speakers.get(group.id, 0):.0f}",
            )
        participation = figures.total("shequn_engagement_participation_ratio", **of)
        tiers = figures.by("shequn_engagement_members_by_tier", "tier", window="7", **of)
        sums = [("participation today", f"{participation:.0%}")]
        sums += [(f"{tier} tier, 7 d", f"{tiers.get(tier, 0):.0f}") for tier in _TIERS]
        for name, value in sums[: detail.sums]:
            table.add_row(name, "", value)
        return table

    def _order(self, figures: Figures, detail: Detail) -> Group:
        of = {"community": self.definition.community}
        checks = figures.by("shequn_moderation_decisions", "check", **of)
        moderation = _table(detail, _name("moderation", "red", detail), _number(""))
        moderation.add_row("passed", f"{checks.pop('none', 0):.0f}")
        for name, counts in (
            ("flagged", checks),
            ("sanctions", figures.by("shequn_moderation_sanctions", "rung", **of)),
        ):
            moderation.add_row(name, f"{sum(counts.values()):.0f}")
            for part, count in sorted(counts.items()) if detail.parts else ():
                moderation.add_row(f"  {part}", f"{count:.0f}", style="dim")
        speed = _table(detail, _name("event age", "red", detail), _number("p50"), _number("p99"))
        for consumer, name in _CONSUMERS.items():
            speed.add_row(name, _age(figures, consumer, 0.5), _age(figures, consumer, 0.99))
        speed.add_row("dead letters", "", f"{figures.total('shequn_dead_letters_total'):.0f}")
        return Group(moderation, speed)


def _row(*blocks: RenderableType) -> Table:
    grid = Table.grid(expand=True, padding=(0, 1), collapse_padding=False, pad_edge=False)
    grid.add_row(*blocks)
    return grid


def _table(detail: Detail, *columns: Column) -> Table:
    return Table(*columns, box=None, header_style="dim", pad_edge=False, collapse_padding=detail.gap == 1)


def _stage(stage: Stage) -> str:
    return f"{stage.name.zh} {stage.name.en}"


def _name(title: str, colour: str, detail: Detail) -> Column:
    """The column of names. Where there is no frame, its heading is the block's title."""
    return Column(title if detail.boxed else Text(title, style=f"not dim bold {colour}"), no_wrap=True)


def _number(title: str) -> Column:
    return Column(title, no_wrap=True, justify="right")


def _bar(cells: int, ratio: float) -> Text:
    filled = min(round(cells * ratio), cells)
    return Text("█" * filled, style="green") + Text("░" * (cells - filled), style="dim")


def _flat(totals: Totals) -> dict[str, int]:
    values = totals.as_dict()
    stages: dict[str, int] = values.pop("stages")
    return values | {f"stage {name}": count for name, count in stages.items()}


def _age(figures: Figures, consumer: str, quantile: float) -> str:
    seconds = figures.quantile("shequn_event_age_seconds", quantile, consumer=consumer)
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds * _MILLISECONDS:.0f} ms"
    return f"{seconds:.1f} s" if seconds < _MINUTES else f"{seconds:.0f} s"
