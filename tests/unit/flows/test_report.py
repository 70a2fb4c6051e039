"""The daily report reads well in both languages."""

from datetime import date

from flows.report import Presence, render_report
from flows.store import FunnelTotals
from tests.unit.flows import samples as s

DAY = date(2026, 3, 9)
TOTALS = FunnelTotals(
    s.COMMUNITY,
    "growth",
    entered=1_200,
    sent=3_000,
    reached={"free": 1_200, "low": 300, "middle": 60},
    active={"-": 4, "free": 890, "low": 240, "middle": 60},
    finished={"completed": 5, "member.left": 1},
    goals={"shared": 5},
    suppressed={"consent": 7},
    delayed={"quiet": 80},
    on_day={("entered", ""): 40, ("finished", "completed"): 2, ("stage", "low"): 11, ("sent", ""): 90},
)


def report(language: str) -> str:
    totals = {"growth": TOTALS}
    return render_report(s.community(s.growth()), totals, {"growth": Presence(1_194, 12)}, DAY, language)  # type: ignore[arg-type]


def test_has_the_stages_in_their_order_with_conversion() -> None:
    rows = [line for line in report("en").splitlines() if line.startswith(("| free", "| low", "| middle", "| high"))]
    assert rows == [
        "| free | 1,200 | 0 | 100.0% | 100.0% | 890 |",
        "| low | 300 | 11 | 25.0% | 25.0% | 240 |",
        "| middle | 60 | 0 | 5.0% | 20.0% | 60 |",
        "| high | 0 | 0 | 0.0% | 0.0% | 0 |",
    ]


def test_begins_with_what_happened_today() -> None:
    assert "Today 40 entered and 2 finished. 1,194 are under way, 12 of them due now. 90 messages today." in report(
        "en"
    )


def test_in_chinese_is_chinese() -> None:
    text = report("zh")
    assert text.startswith("# 读书会:2026-03-09 漏斗日报")
    assert "| 推迟:免打扰时段 | 80 | 0 |" in text


def test_names_what_was_held_back() -> None:
    assert "| dropped: no consent | 7 | 0 |" in report("en")


def test_of_a_funnel_without_members_says_so() -> None:
    assert "Nobody has entered yet." in render_report(s.community(s.growth()), {}, {}, DAY, "en")
