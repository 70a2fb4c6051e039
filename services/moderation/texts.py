"""The sentences that moderation speaks in, in Chinese and English, each written natively.

``{placeholders}`` are filled by :func:`fill`. A community's own texts come from its definition messages
``moderation-remind`` and ``moderation-warn``; what is here stands in where it has none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.moderation import Rung

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Sentences:
    """What moderation says in one language. One field a sentence, by the situation it is said in."""

    no_rules: str
    all_passed: str
    words_none_listed: str
    words_clean: str
    words_found: str
    links_allowed: str
    links_none: str
    links_trusted: str
    links_explained: str
    links_bare: str
    links_forbidden: str
    flood_no_limit: str
    flood_calm: str
    flood_over: str
    remind: str
    warn: str


ENGLISH = Sentences(
    no_rules="no rules",
    all_passed="every check passed",
    words_none_listed="This group lists no forbidden words.",
    words_clean="The message has none of the forbidden words.",
    words_found="The message has a word of the kind “{category}”, which this group forbids.",
    links_allowed="This group allows links.",
    links_none="The message has no link.",
    links_trusted="The message links only to sites that this group allows.",
    links_explained="The link comes with words that say what it is.",
    links_bare="The link comes without a sentence that says what it is and why it is worth opening.",
    links_forbidden="This group allows no links.",
    flood_no_limit="This group has no limit on messages.",
    flood_calm="Messages within {seconds} seconds: {count}; {limit} are allowed.",
    flood_over="More than {limit} messages within {seconds} seconds.",
    remind=(
        "A reminder from {group}: {reason} Please keep to the rules of the group. "
        "If you think this is a mistake, tell the group's managers within {appeal_hours} hours."
    ),
    warn=(
        "A warning from {group}: {reason} This is offence number {strikes}. "
        "Complaints go to the group's managers, not into the group; you can appeal within {appeal_hours} hours."
    ),
)

CHINESE = Sentences(
    no_rules="本群没有设群规",
    all_passed="各项检查都通过",
    words_none_listed="本群没有设违禁词。",
    words_clean="消息里没有违禁词。",
    words_found="消息里有本群禁止的“{category}”类词语。",
    links_allowed="本群允许发链接。",
    links_none="消息里没有链接。",
    links_trusted="消息里只有本群允许的网站。",
    links_explained="链接附有说明。",
    links_bare="链接没有说明：请用一句话讲清楚这是什么、为什么值得点开。",
    links_forbidden="本群不允许发链接。",
    flood_no_limit="本群不限发言频率。",
    flood_calm="{seconds} 秒内发了 {count} 条，上限是 {limit} 条。",
    flood_over="{seconds} 秒内发了超过 {limit} 条消息，属于刷屏。",
    remind="【{group}】提醒：{reason}请遵守群规。如果觉得有误，请在 {appeal_hours} 小时内联系群管理员申诉。",
    warn=(
        "【{group}】警告：{reason}这是第 {strikes} 次违规。"
        "有意见请私下找群管理员，不要在群里争执；{appeal_hours} 小时内可以申诉。"
    ),
)

_MESSAGE_IDS = {Rung.REMIND: "moderation-remind", Rung.WARN: "moderation-warn"}


def sentences(language: str) -> Sentences:
    """Give the sentences of a language; Chinese where there are none."""
    return ENGLISH if language == "en" else CHINESE


def letter(definition: CommunityDefinition, rung: Rung, language: str) -> str:
    """Give the text that tells a member of a rung: the community's own, or ours."""
    own = definition.messages.get(_MESSAGE_IDS[rung])
    if own is not None and (text := own.in_language(language)):
        return text
    ours = sentences(language)
    return ours.remind if rung is Rung.REMIND else ours.warn


def fill(text: str, values: Mapping[str, object]) -> str:
    """Fill ``{placeholders}``. One that is not known stays as it is: a text of an operator never breaks a decision."""
    return _PLACEHOLDER.sub(lambda match: str(values.get(match[1], match[0])), text)
