"""The live screen in terminals of several sizes."""

import io
import re
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len
from rich.console import Console

from shequn.cli.screen import Screen
from shequn.definitions import load_folder
from tests.support.command import ROOT
from tests.support.figures import busy_figures

DEFINITION = load_folder(ROOT / "samples" / "reading-club").definition
NAMES = ("commerce", "consumer", "engagement", "intake", "moderation", "worker", "prefect")
ADDRESSES = {name: f"http://127.0.0.1:2{place}{place}{place}{place}" for place, name in enumerate(NAMES)}
SIZES = [(80, 24), (100, 30), (120, 40), (140, 45)]


def drawn(width: int, height: int, note: str = "day 19", screen: Screen | None = None) -> list[str]:
    """The lines of a terminal of a size."""
    paper = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system=None)
    screen = screen or Screen(DEFINITION, ADDRESSES)
    with paper.capture() as captured:
        paper.print(screen.draw(busy_figures(DEFINITION), datetime(2026, 3, 19, 7, 5, tzinfo=UTC), note))
    return captured.get().splitlines()


@pytest.mark.parametrize(("width", "height"), SIZES)
class TestEverySize:
    def test_keeps_to_the_terminal(self, width: int, height: int) -> None:
        lines = drawn(width, height)
        assert len(lines) <= height
        assert max(map(cell_len, lines)) <= width

    def test_cuts_nothing_off(self, width: int, height: int) -> None:
        assert "…" not in "".join(drawn(width, height))

    def test_shows_every_stage_with_its_count_and_conversion(self, width: int, height: int) -> None:
        text = "\n".join(drawn(width, height))
        for funnel in DEFINITION.funnels:
            for place, stage in enumerate(funnel.stages):
                count = 260 // (place + 1)
                before = 260 // max(place, 1)
                numbers = rf"{count} +{count / 260:.0%} +{count / before:.0%} +{count // 2}\b"
                assert re.search(f"{stage.name.zh} {stage.name.en} .*{numbers}", text), stage.id

    def test_shows_revenue_of_every_product_by_its_chinese_name(self, width: int, height: int) -> None:
        text = "\n".join(drawn(width, height))
        for product in DEFINITION.products:
            assert re.search(rf"{product.name.in_language('zh')} +188 +60,000\.00", text), product.id
        assert re.search(r"total +752 +240,000\.00", text)

    def test_shows_every_group_with_its_activity(self, width: int, height: int) -> None:
        text = "\n".join(drawn(width, height))
        for group in DEFINITION.groups:
            assert re.search(rf"{group.name.in_language('zh')} +1824 +131", text), group.id

    def test_shows_moderation_and_event_age(self, width: int, height: int) -> None:
        text = "\n".join(drawn(width, height))
        assert re.search(r"flagged +46\b", text)
        assert re.search(r"sanctions +43\b", text)
        assert re.search(r"payment → funnel +10 ms +100 ms", text)

    def test_shows_where_everything_listens_and_how_to_stop(self, width: int, height: int) -> None:
        text = "\n".join(drawn(width, height))
        assert all(address.rpartition(":")[2] in text for address in ADDRESSES.values())
        assert "Ctrl-C stops" in text


@pytest.mark.parametrize(
    ("currency", "digits", "each", "total"),
    [("JPY", 0, r"6,000,000", r"24,000,000"), ("KWD", 3, r"6,000\.000", r"24,000\.000")],
)
def test_money_has_the_digits_of_the_currency(currency: str, digits: int, each: str, total: str) -> None:
    screen = Screen(DEFINITION.model_copy(update={"currency": currency, "currency_digits": digits}), ADDRESSES)
    text = "\n".join(drawn(140, 45, screen=screen))
    assert len(re.findall(rf" {each}\b(?!\.)", text)) == len(DEFINITION.products)
    assert re.search(rf"total +752 +{total}\b(?!\.)", text)


class TestRoom:
    def test_a_wide_terminal_has_frames_and_long_bars(self) -> None:
        text = "\n".join(drawn(150, 45))
        assert "╭" in text
        assert "█" * 12 in text
        assert "warn-private" in text

    def test_a_tall_narrow_terminal_shows_every_check(self) -> None:
        assert "bare-link" in "\n".join(drawn(80, 40))

    def test_a_tiny_terminal_shows_the_funnel_first(self) -> None:
        lines = drawn(60, 12)
        assert len(lines) == 12
        assert "转介绍 Referral" in "\n".join(lines)

    def test_a_long_note_takes_a_second_line(self) -> None:
        note = "day 19   crashing: commerce, engagement, moderation"
        lines = drawn(80, 24, note)
        assert "moderation" in "".join(lines[:2])
        assert len(lines) <= 24
        assert "prefect 26666" in lines[-1]


class TestDrawingAgain:
    def test_gives_room_back_when_a_long_note_is_gone(self) -> None:
        screen = Screen(DEFINITION, ADDRESSES)
        lines = drawn(80, 24, screen=screen)
        drawn(80, 24, "day 19   crashing: commerce, engagement, moderation", screen)
        assert drawn(80, 24, screen=screen) == lines

    def test_follows_the_size_of_the_terminal(self) -> None:
        screen = Screen(DEFINITION, ADDRESSES)
        wide = drawn(150, 45, screen=screen)
        drawn(80, 24, screen=screen)
        assert drawn(150, 45, screen=screen) == wide
