"""The communities that ship with the project."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from shequn.contracts.definitions.funnel import ExitStep, OfferStep, SendStep, WaitUntilStep
from shequn.definitions import DefinitionError, LoadResult, load_folder, write_schemas
from shequn.definitions.schema import SCHEMA_FOLDER, as_text, schemas

ROOT = Path(__file__).parents[3]
READING_CLUB = ROOT / "samples" / "reading-club"
MINIMAL = ROOT / "samples" / "minimal"
SAMPLE_FILES = sorted(
    # behaviour.yaml is the simulator's.
    path
    for path in (ROOT / "samples").rglob("*.yaml")
    if path.name != "behaviour.yaml"
)
SUPPORTED = {"send", "wait", "wait_until", "branch", "offer", "tag", "goal", "exit"}


@pytest.fixture(scope="module")
def club() -> Any:
    return load_folder(READING_CLUB)


def funnel(club: LoadResult, name: str) -> Any:
    return next(funnel for funnel in club.definition.funnels if funnel.funnel == name)


class TestTheReadingClub:
    def test_has_the_growth_funnel_with_five_stages(self, club: LoadResult) -> None:
        stages = [stage.id for stage in funnel(club, "growth").stages]
        assert stages == ["free", "low", "middle", "high", "referral"]

    def test_has_the_shop_loop_with_seven_stages(self, club: LoadResult) -> None:
        stages = [stage.name.zh for stage in funnel(club, "shop-loop").stages]
        assert stages == ["引流", "沉淀", "激活", "转化", "复购", "裂变", "参与"]

    @pytest.mark.parametrize("name", ["growth", "shop-loop"])
    def test_reaches_every_stage(self, club: LoadResult, name: str) -> None:
        found = funnel(club, name)
        assert {stage.id for stage in found.stages} == {step.stage for step in found.steps if step.stage}

    def test_reaches_what_costs_money_by_its_payment_alone(self, club: LoadResult) -> None:
        steps = funnel(club, "growth").steps
        for stage, product in {"low": "course-low", "middle": "camp-mid", "high": "circle-high"}.items():
            arrival = next(step.id for step in steps if step.stage == stage)
            ways = [step for step in steps if isinstance(step, WaitUntilStep) and step.next == arrival]
            assert {trigger.product for way in ways for trigger in way.until} == {product}
            assert all(way.timeout is not None and way.conditions is None for way in ways)

    def test_takes_only_steps_that_are_acted_on(self, club: LoadResult) -> None:
        kinds = {step.kind for funnel in club.definition.funnels for step in funnel.steps}
        assert kinds <= SUPPORTED

    def test_ends_every_way(self, club: LoadResult) -> None:
        reasons = {step.reason for step in funnel(club, "growth").steps if isinstance(step, ExitStep)}
        assert reasons == {"completed", "nurture"}

    def test_offers_at_most_twice(self, club: LoadResult) -> None:
        offers = [step.product for step in funnel(club, "growth").steps if isinstance(step, OfferStep)]
        assert max(offers.count(product) for product in offers) == 2

    def test_says_everything_in_both_languages(self, club: LoadResult) -> None:
        assert all(text.zh and text.en for text in club.definition.messages.values())

    def test_sends_every_message_it_has(self, club: LoadResult) -> None:
        sent = {
            step.message
            for funnel in club.definition.funnels
            for step in funnel.steps
            if isinstance(step, SendStep | OfferStep)
        }
        assert set(club.definition.messages) - sent == {"moderation-remind", "moderation-warn"}

    def test_prices_are_exact(self, club: LoadResult) -> None:
        products = {product.id: product for product in club.definition.products}
        assert (products["course-low"].price_minor, products["circle-high"].price_minor) == (990, 300_000)
        assert [(tier.seats, tier.price_minor) for tier in products["camp-mid"].seat_tiers] == [
            (30, 50_000),
            (70, 100_000),
        ]

    def test_is_told_only_about_what_later_work_furnishes(self, club: LoadResult) -> None:
        assert {notice.message for notice in club.notices} == {"kept, but no service acts on it yet"}


class TestTheMinimalCommunity:
    def test_is_one_file(self) -> None:
        assert [path.name for path in MINIMAL.iterdir()] == ["community.yaml"]

    def test_loads(self) -> None:
        assert load_folder(MINIMAL).definition.community == "tea-friends"

    @pytest.mark.parametrize(
        "name", ["community", "name", "timezone", "currency", "interest", "goal", "groups", "rules"]
    )
    def test_needs_each_of_its_fields(self, tmp_path: Path, name: str) -> None:
        lines = (MINIMAL / "community.yaml").read_text(encoding="utf-8").splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith(f"{name}:"))
        end = next((n for n in range(start + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
        (tmp_path / "community.yaml").write_text("\n".join(lines[:start] + lines[end:]), encoding="utf-8")
        with pytest.raises(DefinitionError) as caught:
            load_folder(tmp_path)
        assert name in {found.field for found in caught.value.problems}


class TestTheSchemas:
    @pytest.mark.parametrize("name", sorted(schemas()))
    def test_committed_ones_are_current(self, name: str) -> None:
        committed = (SCHEMA_FOLDER / f"{name}.json").read_text(encoding="utf-8")
        assert committed == as_text(schemas()[name]), (
            "run: python -c 'from shequn.definitions import write_schemas; write_schemas()'"
        )

    def test_are_written_where_they_are_wanted(self, tmp_path: Path) -> None:
        assert {path.name for path in write_schemas(tmp_path)} == {path.name for path in SCHEMA_FOLDER.glob("*.json")}

    def test_are_schemas(self) -> None:
        for schema in schemas().values():
            Draft202012Validator.check_schema(schema)

    @pytest.mark.parametrize("path", SAMPLE_FILES, ids=lambda path: path.name)
    def test_accept_the_samples(self, path: Path) -> None:
        kind = {"funnels": "funnel", "messages": "message"}.get(path.parent.name, path.stem)
        data = YAML(typ="safe", pure=True).load(path)
        Draft202012Validator(json.loads((SCHEMA_FOLDER / f"{kind}.json").read_text(encoding="utf-8"))).validate(data)

    def test_refuse_unknown_fields(self) -> None:
        assert not Draft202012Validator(schemas()["products"]).is_valid({"products": [], "productz": []})
