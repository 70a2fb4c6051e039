"""The scorecard says what is there and what is weak."""

from typing import Any

import pytest

from shequn.definitions import scorecard

from .conftest import Workshop

PARTS = ["interest", "structure", "output", "operate", "copy"]


def part(folder: Workshop, name: str) -> Any:
    return next(part for part in scorecard(folder.load().definition).parts if part.name == name)


class TestTheScorecard:
    def test_has_five_parts(self, folder: Workshop) -> None:
        assert [part.name for part in scorecard(folder.load().definition).parts] == PARTS

    def test_totals_their_mean(self, folder: Workshop) -> None:
        score = scorecard(folder.load().definition)
        assert score.total == pytest.approx(sum(part.score for part in score.parts) / 5)

    def test_of_a_part_is_full_exactly_when_nothing_is_weak(self, folder: Workshop) -> None:
        assert all((found.score == 1) == (not found.weak) for found in scorecard(folder.load().definition).parts)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("output", "rhythms: [{id: daily}]"),
            ("operate", "newcomer: {serial: true}"),
            ("copy", "replication: {split_at: 150}"),
        ],
    )
    def test_rises_when_what_was_weak_is_added(self, folder: Workshop, name: str, text: str) -> None:
        before = part(folder, name)
        after = part(folder.append("community.yaml", f"{text}\n"), name)
        assert after.score > before.score
        assert len(after.weak) == len(before.weak) - 1

    def test_asks_for_honesty_about_selling(self, folder: Workshop) -> None:
        folder.replace("community.yaml", "[growth, sell-goods]", "[growth]")
        assert part(folder, "interest").weak == (
            "Products are sold, but the purpose does not say so: add sell-goods to interest.purpose.",
        )

    def test_names_the_groups_that_anyone_may_enter(self, folder: Workshop) -> None:
        folder.replace("community.yaml", ", entry: {all: [{invite: any_member}]}", "")
        assert "Anyone may enter hall: add entry thresholds." in part(folder, "structure").weak
