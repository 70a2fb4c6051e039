"""Stories and what they predict."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shequn.contracts.commerce import Ladder
from shequn.contracts.definitions.products import ProductDefinition, SeatTier
from shequn.definitions import load_folder
from shequn.runtime.failures import ConfigError
from shequn.sim.behaviour import Behaviour
from shequn.sim.prediction import Purchase, price_in_order
from shequn.sim.story import Story, Storyteller

SAMPLE = Path(__file__).parents[3] / "samples" / "reading-club"
START = datetime(2026, 3, 1, tzinfo=UTC)


def told(seed: int = 7) -> Story:
    return Storyteller(load_folder(SAMPLE).definition, Behaviour.read(SAMPLE / "behaviour.yaml"), seed, START).tell()


class TestStory:
    def test_the_same_seed_tells_the_same_story(self) -> None:
        assert told().happenings == told().happenings

    def test_another_seed_tells_another_one(self) -> None:
        assert told(7).totals != told(8).totals

    def test_happenings_come_in_order_of_time_and_before_the_end(self) -> None:
        story = told()
        moments = [happening.at for happening in story.happenings]
        assert moments == sorted(moments)
        assert moments[0] >= START
        assert moments[-1] < story.end

    def test_keys_are_unique(self) -> None:
        keys = [happening.key for happening in told().happenings]
        assert len(keys) == len(set(keys))

    def test_every_stage_is_reached_and_none_by_more_than_the_one_before(self) -> None:
        counts = list(told().totals.stages.values())
        assert all(counts)
        assert counts[:4] == sorted(counts[:4], reverse=True)

    def test_nobody_floods(self) -> None:
        last: dict[str, datetime] = {}
        for happening in told().happenings:
            if happening.kind == "chat.message.posted.v1":
                author = happening.data["account"]["account_id"]
                assert happening.at - last.get(author, START - timedelta(days=1)) >= timedelta(minutes=15)
                last[author] = happening.at


class TestPriceInOrder:
    HALL = ProductDefinition(
        id="hall",
        kind="course",
        rung=Ladder.MIDDLE,
        seat_tiers=(SeatTier(seats=2, price_minor=500), SeatTier(seats=1, price_minor=900)),
    )

    def test_earlier_buyers_get_cheaper_seats(self) -> None:
        purchases = [Purchase(f"m{day}", self.HALL, START + timedelta(days=day)) for day in (3, 1, 2)]
        price_in_order(purchases)
        assert [purchase.price_minor for purchase in purchases] == [900, 500, 500]


class TestBehaviourFile:
    def test_a_wrong_share_is_named_with_file_and_field(self, tmp_path: Path) -> None:
        path = tmp_path / "behaviour.yaml"
        text = (SAMPLE / "behaviour.yaml").read_text(encoding="utf-8").replace("referred: 0.35", "referred: 3.5")
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"behaviour\.yaml: referred"):
            Behaviour.read(path)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be read"):
            Behaviour.read(tmp_path / "nothing.yaml")
