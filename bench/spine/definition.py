"""The community that the chats happen in: one group per room, with rules as a lively group has them."""

from collections.abc import Iterable
from datetime import timedelta

from shequn.contracts.definitions.community import CommunityDefinition, Goal, GroupDefinition
from shequn.contracts.definitions.rules import LadderRule, LinkRule, RuleSet, WordRule
from shequn.contracts.definitions.values import LocalizedText, Rate

COMMUNITY = "bench"
WORD_COUNT = 1_000
PLATFORM = "gitter"

_KNOWN_WORDS = ("casino", "viagra", "payday loan", "earn money fast", "加微信", "刷单", "博彩", "代开发票")
_FIRST = ("稳赚", "包赢", "秒批", "免押", "高薪", "躺赚", "返利", "内幕", "低价", "正品")
_SECOND = ("贷款", "彩票", "兼职", "股票", "期货", "代购", "棋牌", "网赌", "套现", "刷粉")
_ENDINGS = ("群", "号", "网", "码", "店", "单", "团", "盘", "站", "客")


def bench_definition(groups: Iterable[str]) -> CommunityDefinition:
    """Make the definition: flood limit, links that need a sentence, a list of 1,000 words.

    Args:
        groups: the groups' ids; the chat of a group has the same id.
    """
    return CommunityDefinition(
        community=COMMUNITY,
        name=LocalizedText(zh="压测社群", en="Bench"),
        timezone="Asia/Shanghai",
        currency="CNY",
        languages=("en", "zh"),
        tags=("learning",),
        purpose=("growth",),
        goal=Goal(metric="messages", unit="messages", target=1_000, every="week"),
        groups=tuple(
            GroupDefinition(id=group, kind="free", platform=PLATFORM, chat=group, capacity=2_000, rules="open")
            for group in groups
        ),
        rules=(
            RuleSet(
                id="open",
                words=(WordRule(category="ads", words=forbidden_words()),),
                links=LinkRule(policy="explain", min_words=4, allow_domains=("freecodecamp.com", "github.com")),
                flood=Rate(count=6, within=timedelta(seconds=10)),
                ladder=LadderRule(rungs=("remind", "warn"), strikes_expire=timedelta(days=30)),
            ),
        ),
    )


def forbidden_words() -> tuple[str, ...]:
    """Give 1,000 words: a few that chats really have, the others made of the vocabulary of ads."""
    made = (first + second + ending for first in _FIRST for second in _SECOND for ending in _ENDINGS)
    return (*_KNOWN_WORDS, *(word for word, _ in zip(made, range(WORD_COUNT - len(_KNOWN_WORDS)), strict=False)))
