"""The daily report as text: what a person wants to know of the funnels in the morning. Pure; Chinese or English."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flows.engine.enrollment import NO_STAGE
from flows.store import FunnelTotals
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.funnel import FunnelDefinition
from shequn.contracts.signups import Language

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "{community}: funnels on {day}",
        "summary": "Today {entered:,} entered and {finished:,} finished. {running:,} are under way, {due:,} of them "
        "due now. {sent:,} messages today.",
        "stuck": "**{stuck:,} members are stuck**: the definition sends them round in circles or names a missing text.",
        "stages": "| stage | reached | today | of entered | of stage before | there now |",
        "before": "(no stage yet)",
        "ends": "| how it ended | total | today |",
        "guards": "| sends held back | total | today |",
        "goals": "| goal | reached | today |",
        "dropped": "dropped: {reason}",
        "put_off": "put off: {reason}",
        "nobody": "Nobody has entered yet.",
    },
    "zh": {
        "title": "{community}:{day} 漏斗日报",
        "summary": "今天进入 {entered:,} 人,结束 {finished:,} 人。进行中 {running:,} 人,其中 {due:,} 人已到期待推进。"
        "今天发出消息 {sent:,} 条。",
        "stuck": "**{stuck:,} 人卡住了**:漏斗定义里有死循环,或引用了不存在的文案。",
        "stages": "| 阶段 | 到达人数 | 今天 | 占进入 | 占上一阶段 | 目前停留 |",
        "before": "(尚未到达任何阶段)",
        "ends": "| 结束原因 | 累计 | 今天 |",
        "guards": "| 未发出的消息 | 累计 | 今天 |",
        "goals": "| 目标 | 达成 | 今天 |",
        "dropped": "放弃:{reason}",
        "put_off": "推迟:{reason}",
        "nobody": "还没有人进入。",
    },
}

_REASONS: dict[Language, dict[str, str]] = {
    "en": {
        "consent": "no consent",
        "consent-unknown": "consent not known yet",
        "quiet": "quiet hours",
        "cap-day": "daily cap",
        "cap-week": "weekly cap",
        "completed": "completed",
    },
    "zh": {
        "consent": "未获同意",
        "consent-unknown": "尚不知是否同意",
        "quiet": "免打扰时段",
        "cap-day": "达到每日上限",
        "cap-week": "达到每周上限",
        "completed": "走完全程",
    },
}


@dataclass(frozen=True, slots=True)
class Presence:
    """Where the enrollments of a funnel are: ``running`` have not ended, ``due`` of them should move now."""

    running: int = 0
    due: int = 0


def render_report(
    community: CommunityDefinition,
    totals: Mapping[str, FunnelTotals],
    presences: Mapping[str, Presence],
    day: date,
    language: Language,
) -> str:
    """Write the report of one community in markdown.

    Args:
        community: the definition in force; it names stages and gives their order.
        totals: counts by funnel, with those of the day.
        presences: how many are under way and due, by funnel.
        day: the day, in the community's zone.
        language: of the report.
    """
    words = _WORDS[language]
    name = community.name.in_language(language) or community.community
    lines = [f"# {words['title'].format(community=name, day=day.isoformat())}"]
    for definition in community.funnels:
        lines += ["", f"## {definition.funnel}", ""]
        found = totals.get(definition.funnel)
        if found is None:
            lines.append(words["nobody"])
        else:
            lines += _funnel(definition, found, presences.get(definition.funnel, Presence()), language)
    return "\n".join(lines) + "\n"


def _funnel(definition: FunnelDefinition, totals: FunnelTotals, presence: Presence, language: Language) -> list[str]:
    words = _WORDS[language]
    lines = [
        words["summary"].format(
            entered=totals.on_day.get(("entered", ""), 0),
            finished=sum(count for (what, _), count in totals.on_day.items() if what == "finished"),
            running=presence.running,
            due=presence.due,
            sent=totals.on_day.get(("sent", ""), 0),
        )
    ]
    if totals.stuck:
        lines += ["", words["stuck"].format(stuck=totals.stuck)]
    lines += ["", *_stages(definition, totals, language)]
    guards = [("suppressed", "dropped", totals.suppressed), ("delayed", "put_off", totals.delayed)]
    held = [
        (words[word].format(reason=_reason(reason, language)), count, totals.on_day.get((what, reason), 0))
        for what, word, counts in guards
        for reason, count in sorted(counts.items())
    ]
    lines += _table(words["goals"], _counted(totals, "goal", totals.goals, language))
    lines += _table(words["ends"], _counted(totals, "finished", totals.finished, language))
    lines += _table(words["guards"], held)
    return lines


def _stages(definition: FunnelDefinition, totals: FunnelTotals, language: Language) -> list[str]:
    words = _WORDS[language]
    lines = [words["stages"], "| --- | ---: | ---: | ---: | ---: | ---: |"]
    if waiting := totals.active.get(NO_STAGE, 0):
        lines.append(f"| {words['before']} | | | | | {waiting:,} |")
    before = totals.entered
    for stage in definition.stages:
        reached = totals.reached.get(stage.id, 0)
        cells = (
            stage.name.in_language(language) or stage.id,
            f"{reached:,}",
            f"{totals.on_day.get(('stage', stage.id), 0):,}",
            _share(reached, totals.entered),
            _share(reached, before),
            f"{totals.active.get(stage.id, 0):,}",
        )
        lines.append(f"| {' | '.join(cells)} |")
        before = reached
    return lines


def _counted(
    totals: FunnelTotals, what: str, counts: Mapping[str, int], language: Language
) -> list[tuple[str, int, int]]:
    by_number = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(_reason(name, language), count, totals.on_day.get((what, name), 0)) for name, count in by_number]


def _table(head: str, rows: Sequence[tuple[str, int, int]]) -> list[str]:
    if not rows:
        return []
    return ["", head, "| --- | ---: | ---: |", *(f"| {name} | {count:,} | {today:,} |" for name, count, today in rows)]


def _reason(reason: str, language: Language) -> str:
    return _REASONS[language].get(reason, reason)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"
