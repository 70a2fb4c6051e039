"""Compile ``community.yaml``: identity, goal and groups."""

from datetime import timedelta
from zoneinfo import ZoneInfo, available_timezones

from babel.numbers import get_currency_precision

from shequn.contracts.definitions.community import EngagementPolicy, Goal, GroupDefinition
from shequn.definitions.compiler.context import Context, report_duplicates
from shequn.definitions.hints import currencies, currency_hint, did_you_mean
from shequn.definitions.source import Place
from shequn.definitions.surface.base import sound
from shequn.definitions.surface.community import CommunityFile, EngagementSurface, GroupSurface

_KEPT = ("newcomer", "clean_up", "rhythms", "replication")
_DAY = timedelta(days=1)


def check_identity(file: CommunityFile, place: Place) -> int | None:
    """Check time zone and currency. Gives the currency's decimals; none while it is not known."""
    if file.timezone is not None and not _is_zone(file.timezone):
        hint = did_you_mean(file.timezone, available_timezones())
        (place / "timezone").problem(
            f"no time zone {file.timezone!r}", hint if hint.startswith("did") else "write an IANA name: Asia/Shanghai"
        )
    if file.currency is None:
        return None
    if file.currency not in currencies():
        (place / "currency").problem(f"no currency {file.currency!r}", currency_hint(file.currency))
        return None
    return get_currency_precision(file.currency)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def check_isooc(place: Place) -> None:
    """Refuse a community that cannot go live: without shared attributes, purpose, quantified goal or rules."""
    written = place.source.data
    present = written if isinstance(written, dict) else {}
    wanted = {
        "interest": ("has no shared tags and no purpose", "add `interest: {tags: [..], purpose: [..]}`"),
        "goal": ("has no quantified goal", "add `goal: {metric: .., unit: .., target: 300, every: week}`"),
        "rules": ("has no rules", "add `rules:` with at least one set; groups name it"),
    }
    for name, (message, hint) in wanted.items():
        if present.get(name) in (None, {}, []):
            (place / name).problem(f"a community {message} and so cannot go live", hint)


def keep_the_rest(file: CommunityFile, place: Place, context: Context) -> None:
    """Keep the parts that later work will furnish."""
    for name in _KEPT:
        if getattr(file, name) is not None:
            context.keep(name, place / name)


def compile_goal(file: CommunityFile) -> Goal | None:
    """Compile the goal."""
    goal = file.goal
    return None if goal is None else Goal(metric=goal.metric, unit=goal.unit, target=goal.target, every=goal.every)


def compile_engagement(written: EngagementSurface, place: Place, context: Context) -> EngagementPolicy | None:
    """Compile how engagement counts."""
    for position, window in enumerate(written.tier_windows):
        if window % _DAY or window < _DAY:
            (place / "tier_windows" / position).problem("is not in whole days", "write 7d or 30d")
    return context.build(
        EngagementPolicy,
        place,
        tier_windows_days=tuple(window // _DAY for window in written.tier_windows),
        points_per_reply=written.points.reply,
        points_per_reaction=written.points.reaction,
        pair_cap_per_day=written.pair_cap_per_day,
    )


def compile_groups(
    file: CommunityFile, place: Place, rules: frozenset[str] | None, context: Context
) -> tuple[GroupDefinition, ...]:
    """Compile the groups.

    Args:
        file: the community.
        place: the top of its file.
        rules: ids of the rules, faulty ones included; none when they cannot be told.
        context: what the parts share.
    """
    items = place / "groups"
    report_duplicates("group", {position: group.id for position, group in sound(file.groups)}, items)
    chats = {position: f"{group.platform} {group.chat}" for position, group in sound(file.groups)}
    report_duplicates("chat", chats, items, "chat")
    compiled = [_compile_group(group, items / position, rules, context) for position, group in sound(file.groups)]
    return tuple(group for group in compiled if group is not None)


def _compile_group(
    group: GroupSurface, place: Place, rules: frozenset[str] | None, context: Context
) -> GroupDefinition | None:
    if group.entry is None:
        sells = "a group that sells" if group.kind == "paid" else "a group that admits strangers"
        place.notice(f"{group.id!r} has no entry threshold; {sells} needs at least one (`entry:`)")
    else:
        context.keep(f"groups.{group.id}.entry", place / "entry")
        for position, threshold in enumerate(group.entry.all):
            for name in threshold.paid or ():
                context.refer("product", name, context.products, place / "entry" / "all" / position / "paid")
            if len(threshold.model_fields_set) != 1:
                (place / "entry" / "all" / position).problem(
                    "should have one condition", "write each condition as an entry of its own"
                )
    return context.build(
        GroupDefinition,
        place,
        id=group.id,
        kind=group.kind,
        layer=group.layer,
        name=context.text(group.name, place / "name"),
        platform=group.platform,
        chat=group.chat,
        capacity=group.capacity,
        rules=_rules_of(group, place, rules, context),
    )


def _rules_of(group: GroupSurface, place: Place, rules: frozenset[str] | None, context: Context) -> str | None:
    if group.rules is not None:
        return group.rules if context.refer("rules", group.rules, rules, place / "rules") else None
    if rules is None:
        return None
    if len(rules) > 1:
        place.problem("does not say its rules", f"add `rules:` with one of {', '.join(sorted(rules))}")
    return next(iter(rules), None)
