"""The ISOOC scorecard: how complete a community is, and what is weak (DOMAIN §1).

Every part is a list of yes-or-no checks; its score is the share that holds. It says what the files contain, not how
well the community does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from shequn.contracts.definitions import CommunityDefinition
from shequn.contracts.definitions.conditions import Conditions, Fact
from shequn.contracts.definitions.funnel import BranchStep, OfferStep, WaitUntilStep

_IDEAL_MOST = 200
"""DOMAIN §1: 100 to 200 members are ideal."""

Check = tuple[bool, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the five parts.

    Attributes:
        name: ``interest``, ``structure``, ``output``, ``operate`` or ``copy``.
        score: share of the checks that hold, from 0 to 1.
        weak: what is missing, a sentence each.
    """

    name: str
    score: float
    weak: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IsoocScore:
    """The five parts, in the order of their letters."""

    parts: tuple[Part, ...]

    @property
    def total(self) -> float:
        """The mean of the parts, from 0 to 1."""
        return sum(part.score for part in self.parts) / len(self.parts)


def scorecard(definition: CommunityDefinition) -> IsoocScore:
    """Score a definition."""
    return IsoocScore(
        (
            _part("interest", _interest(definition)),
            _part("structure", _structure(definition)),
            _part("output", _output(definition)),
            _part("operate", _operate(definition)),
            _part("copy", _copy(definition)),
        )
    )


def _part(name: str, checks: list[Check]) -> Part:
    held = sum(holds for holds, _ in checks)
    return Part(name, held / len(checks), tuple(weak for holds, weak in checks if not holds))


def _interest(definition: CommunityDefinition) -> list[Check]:
    return [
        (bool(definition.tags), "Members share no named attribute: add interest.tags."),
        (bool(definition.purpose), "Newcomers are not told what the community is for: add interest.purpose."),
        (definition.goal.target > 0, "The goal has no number: set goal.target."),
        (
            not definition.products or "sell-goods" in definition.purpose,
            "Products are sold, but the purpose does not say so: add sell-goods to interest.purpose.",
        ),
    ]


def _structure(definition: CommunityDefinition) -> list[Check]:
    groups = definition.groups
    open_groups = [group.id for group in groups if f"groups.{group.id}.entry" not in definition.extras]
    large = [group.id for group in groups if group.capacity > _IDEAL_MOST]
    return [
        (not open_groups, f"Anyone may enter {', '.join(open_groups)}: add entry thresholds."),
        (len({group.layer for group in groups}) > 1, "All groups are on one layer: members have nowhere to rise to."),
        (not large, f"More than {_IDEAL_MOST} members fit into {', '.join(large)}: people stop knowing each other."),
        (all(rules.notice.zh or rules.notice.en for rules in definition.rules), "Some rules have no announcement."),
    ]


def _output(definition: CommunityDefinition) -> list[Check]:
    return [
        ("rhythms" in definition.extras, "Nothing happens regularly: add rhythms."),
        (bool(definition.messages), "The community has no messages of its own."),
        (bool(definition.funnels), "No funnel leads newcomers on."),
        (bool(definition.products), "There is nothing to have: add products, the first one free."),
    ]


def _operate(definition: CommunityDefinition) -> list[Check]:
    return [
        ("newcomer" in definition.extras, "Ritual: nothing marks that somebody is new; add newcomer."),
        (_answers_engagement(definition), "Participation: no funnel looks at what members do for each other."),
        (
            any(rules.words or rules.flood or rules.links.policy != "allow" for rules in definition.rules),
            "Organisation: no rule is enforced by itself.",
        ),
        (
            any(name.endswith(".nickname") for name in definition.extras),
            "Belonging: members have no common form of name; add a nickname template.",
        ),
    ]


def _copy(definition: CommunityDefinition) -> list[Check]:
    return [
        ("replication" in definition.extras, "Nothing says when a group is copied: add replication."),
        (definition.referral is not None, "Members have no reason to bring others: add referral.yaml."),
        (len(definition.groups) > 1, "There is one group only: nothing was copied yet."),
    ]


def _answers_engagement(definition: CommunityDefinition) -> bool:
    facts = {Fact.TIER, Fact.CONTRIBUTION, Fact.POSTED, Fact.REPLIED}
    if any(condition.fact in facts for conditions in _conditions(definition) for condition in conditions.all_of):
        return True
    return any(
        trigger.on.startswith(("engagement.", "points."))
        for funnel in definition.funnels
        for step in funnel.steps
        if isinstance(step, WaitUntilStep)
        for trigger in step.until
    )


def _conditions(definition: CommunityDefinition) -> Iterator[Conditions]:
    for funnel in definition.funnels:
        for step in funnel.steps:
            if isinstance(step, WaitUntilStep) and step.conditions is not None:
                yield step.conditions
            elif isinstance(step, BranchStep):
                yield from (conditions for case in step.cases for conditions in case.any_of)
            elif isinstance(step, OfferStep):
                yield step.when
