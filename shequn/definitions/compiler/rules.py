"""Compile the rules of groups, with what they extend."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shequn.contracts.definitions.rules import LadderRule, LinkRule, RuleSet, WordRule
from shequn.contracts.definitions.values import Rate
from shequn.contracts.moderation import Verdict
from shequn.definitions.compiler.context import Context
from shequn.definitions.compiler.words import LEXICAL, LINK_KINDS
from shequn.definitions.hints import did_you_mean
from shequn.definitions.source import Place
from shequn.definitions.surface.base import sound_fields
from shequn.definitions.surface.rules import ForbidSurface, RulesSurface

_RUNGS = {"remind": "remind", "warn-private": "warn"}
_LADDER = ("remind", "warn-private", "penalty-public", "remove")
_LATER_RUNGS = frozenset(_LADDER) - frozenset(_RUNGS)
_KEPT = ("nickname", "quiet", "ads", "voice", "task")

_STRIKES_EXPIRE = timedelta(days=30)
"""DOMAIN §3: strikes expire after 30 days."""
_APPEAL = timedelta(hours=24)
"""DOMAIN §3: an appeal has 24 hours."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class _Field:
    """A field's value and where it is written, which may be in the rules that are extended."""

    value: Any
    place: Place


_Fields = dict[str, _Field]


def compile_rules(
    rules: Mapping[str, RulesSurface | None], place: Place, words: Mapping[str, tuple[str, ...]], context: Context
) -> tuple[RuleSet, ...]:
    """Compile all rules.

    Args:
        rules: by id; none for those that are faulty.
        place: the field ``rules`` of community.yaml.
        words: word lists by kind.
        context: what the parts share.
    """
    compiled = [
        _compile(name, _resolve(name, rules, place), place / name, words, context) for name, _ in sound_fields(rules)
    ]
    for name, written in sound_fields(rules):
        _check_own(written, place / name, context)
    _tell_unused(rules, place, words, context)
    return tuple(rule_set for rule_set in compiled if rule_set is not None)


def _resolve(name: str, rules: Mapping[str, RulesSurface | None], place: Place) -> _Fields:
    """Give the fields of some rules: their own, then those of the rules they extend."""
    fields: _Fields = {}
    chain: list[str] = []
    current: str | None = name
    while current is not None:
        chain.append(current)
        written = rules.get(current)
        if written is None:  # faulty, and reported as such
            break
        for key in written.model_fields_set - {"extends"}:
            value = getattr(written, key)
            if value is not None:
                fields.setdefault(key, _Field(value, place / current / key))
        current = written.extends
        here = place / chain[-1] / "extends"
        if current in chain:
            here.problem(
                f"rules extend each other in a circle: {' → '.join([*chain, str(current)])}", "break the circle"
            )
            break
        if current is not None and current not in rules:
            here.problem(f"no rules {current!r}", did_you_mean(current, rules))
            break
    return fields


def _compile(
    name: str, fields: _Fields, place: Place, words: Mapping[str, tuple[str, ...]], context: Context
) -> RuleSet | None:
    for key in _KEPT:
        if key in fields:
            context.keep(f"rules.{name}.{key}", fields[key].place)
    notice, flood = fields.get("notice"), fields.get("flood")
    return context.build(
        RuleSet,
        place,
        id=name,
        notice=context.points(notice.value, notice.place) if notice else context.points(None, place),
        words=_word_rules(fields, words, place, context),
        links=_links(fields),
        flood=Rate(count=flood.value.messages, within=flood.value.within) if flood else None,
        ladder=_ladder(fields),
    )


def _bans(fields: _Fields) -> list[ForbidSurface]:
    forbid = fields.get("forbid")
    return (
        [ban if isinstance(ban, ForbidSurface) else ForbidSurface(kind=ban) for ban in forbid.value] if forbid else []
    )


def _word_rules(
    fields: _Fields, words: Mapping[str, tuple[str, ...]], place: Place, context: Context
) -> tuple[WordRule, ...]:
    verdicts = {"delete": Verdict.DELETE, "flag": Verdict.FLAG}
    built = [
        context.build(WordRule, place, category=ban.kind, words=words[ban.kind], verdict=verdicts[ban.do])
        for ban in _bans(fields)
        if ban.kind in words and ban.kind not in LINK_KINDS
    ]
    return tuple(rule for rule in built if rule is not None)


def _links(fields: _Fields) -> LinkRule:
    kinds = {ban.kind for ban in _bans(fields)}
    policy = "forbid" if "link" in kinds else "explain" if "bare-link" in kinds else "allow"
    links = fields.get("links")
    if links is None:
        return LinkRule.model_validate({"policy": policy})
    domains = tuple(domain.lower() for domain in links.value.allow or ())
    return LinkRule.model_validate({"policy": policy, "min_words": links.value.min_words, "allow_domains": domains})


def _ladder(fields: _Fields) -> LadderRule:
    written, expire, appeal = fields.get("ladder"), fields.get("strikes_expire"), fields.get("appeal")
    rungs = [_RUNGS[rung] for rung in (written.value if written else _RUNGS) if rung in _RUNGS]
    hours = (appeal.value if appeal else _APPEAL) // _HOUR
    return LadderRule.model_validate(
        {
            "rungs": rungs or list(_RUNGS.values()),
            "strikes_expire": expire.value if expire else _STRIKES_EXPIRE,
            "appeal_hours": max(1, hours),
        }
    )


def _check_own(written: RulesSurface, place: Place, context: Context) -> None:
    """Report what is wrong with the fields that rules write themselves, once, however many extend them."""
    _check_ladder(written.ladder, place / "ladder")
    if written.appeal is not None and written.appeal % _HOUR:
        (place / "appeal").problem("is not in whole hours", "write 24h or 2d")
    seen: set[str] = set()
    for position, ban in enumerate(written.forbid or ()):
        kind = ban if isinstance(ban, str) else ban.kind
        here = place / "forbid" / position
        if kind in seen:
            here.problem(f"{kind!r} is forbidden twice", "remove one")
        seen.add(kind)
        _check_ban(kind, ban, here, context)
    bans_links = seen & LINK_KINDS
    if written.links is not None and written.forbid is not None and not bans_links:
        (place / "links").problem("says what a link needs, but links are not restricted", "add bare-link to `forbid`")


def _check_ladder(ladder: tuple[str, ...] | None, place: Place) -> None:
    if ladder is None:
        return
    order = [_LADDER.index(rung) for rung in ladder]
    if order != sorted(set(order)):
        place.problem("is not in order, or has a rung twice", f"write rungs mildest first: {', '.join(_LADDER)}")
    if not set(ladder) & set(_RUNGS):
        place.problem("has no rung that is acted on", f"begin with {' or '.join(_RUNGS)}")
    for position, rung in enumerate(ladder):
        if rung in _LATER_RUNGS:
            (place / position).notice(f"{rung}: kept, but the system does not go beyond warn-private yet")


def _check_ban(kind: str, ban: str | ForbidSurface, place: Place, context: Context) -> None:
    if kind == "flooding":
        place.problem("flooding is not a word list", "write `flood: {messages: 6, within: 10s}` beside `forbid`")
    elif kind in LINK_KINDS:
        if isinstance(ban, ForbidSurface) and ban.do == "flag":
            (place / "do").problem("links can only be deleted", f"write {kind} alone")
    elif context.kinds is not None and kind not in context.kinds:
        if kind in LEXICAL:
            place.notice(
                f"no word list for {kind}: nothing is found; add words/{kind}.txt, or `words: {{{kind}: [..]}}`"
            )
        else:
            known = LEXICAL | LINK_KINDS | context.kinds
            hint = did_you_mean(kind, known)
            own = f"add words/{kind}.txt for a list of your own"
            place.problem(f"unknown kind {kind!r}", f"{hint} Or {own}" if hint.startswith("did") else own)


def _tell_unused(
    rules: Mapping[str, RulesSurface | None], place: Place, words: Mapping[str, tuple[str, ...]], context: Context
) -> None:
    used = {
        ban if isinstance(ban, str) else ban.kind for _, written in sound_fields(rules) for ban in written.forbid or ()
    }
    for kind in sorted(set(words) - used - LINK_KINDS):
        context.report.notice(
            place.source.name, place.line, "words", f"the list {kind!r} is not forbidden by any rules"
        )
