"""The rules of a group in compiled form, as far as moderation applies them by itself."""

from typing import Literal

from pydantic import Field

from shequn.contracts.base import Contract, Slug, Whole
from shequn.contracts.definitions.values import LocalizedText, Rate, Seconds
from shequn.contracts.moderation import Verdict


class WordRule(Contract):
    """Forbidden words of one category. ``words`` match anywhere, without regard to case or width."""

    category: Slug
    words: tuple[str, ...] = Field(max_length=200_000)
    verdict: Verdict = Verdict.DELETE


class LinkRule(Contract):
    """Links: ``explain`` wants a sentence that says what the link is (DOMAIN §3), ``forbid`` wants none, ``allow`` any.

    ``min_words`` is how much text makes a sentence: Chinese characters and other words counted alike.
    """

    policy: Literal["allow", "explain", "forbid"] = "explain"
    min_words: Whole = Field(default=4, ge=1)
    allow_domains: tuple[str, ...] = ()


class LadderRule(Contract):
    """The first rungs: what the first, second … offence brings. The last rung stays for all that follow.

    ``strikes_expire``: how long a strike counts.
    """

    rungs: tuple[Literal["remind", "warn"], ...] = ("remind", "warn")
    strikes_expire: Seconds
    appeal_hours: Whole = Field(default=24, ge=1)


class RuleSet(Contract):
    """The rules that groups name by id."""

    id: Slug
    notice: LocalizedText = LocalizedText()
    words: tuple[WordRule, ...] = ()
    links: LinkRule = LinkRule()
    flood: Rate | None = None
    ladder: LadderRule
