"""The guide shows files that load."""

import re
from pathlib import Path

from shequn.contracts.definitions.conditions import TRIGGERS, Fact
from shequn.contracts.definitions.messages import FUNNEL_PLACEHOLDERS, MODERATION_PLACEHOLDERS
from shequn.definitions import load_folder
from shequn.definitions.surface.community import CommunityFile
from shequn.definitions.surface.funnel import StepSurface

from .conftest import Workshop

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "guide" / "definitions.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)


def block(start: str) -> str:
    return next(found for found in BLOCKS if found.startswith(start))


class TestTheGuide:
    def test_shows_the_minimal_sample_as_it_is(self) -> None:
        sample = (ROOT / "samples" / "minimal" / "community.yaml").read_text(encoding="utf-8")
        assert sample.endswith(block("community: tea-friends"))

    def test_shows_files_that_load(self, tmp_path: Path) -> None:
        (tmp_path / "messages").mkdir()
        (tmp_path / "funnels").mkdir()
        identity = Workshop(tmp_path / "other").path / "community.yaml"
        head = identity.read_text(encoding="utf-8").partition("rules:\n")[0].replace("rules: open}", "rules: strict}")
        club = "  - {id: circle-high, kind: membership, rung: high, price: 3000, requires: {bought: camp-mid}}\n"
        for name, text in {
            "community.yaml": head + block("rules:") + "  ads: [加微信]\n",
            "products.yaml": block("products:") + club,
            "referral.yaml": block("referral:"),
            "funnels/growth.yaml": block("funnel:"),
            "messages/welcome.yaml": block("# messages/welcome.yaml"),
            "messages/more.yaml": "messages:\n"
            + "".join(f"  {name}: {{zh: 一, en: one}}\n" for name in ("topic", "course-low-offer", "goodbye")),
        }.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        assert load_folder(tmp_path).definition.funnels[0].funnel == "growth"

    def test_names_every_event_fact_and_placeholder(self) -> None:
        words = [*TRIGGERS, *Fact, *(f"{{{name}}}" for name in [*FUNNEL_PLACEHOLDERS, *MODERATION_PLACEHOLDERS])]
        assert [word for word in words if f"`{word}`" not in GUIDE] == []

    def test_names_every_field_of_a_step_and_of_the_community(self) -> None:
        fields = [*StepSurface.names(), *CommunityFile.names()]
        assert [name for name in fields if f"`{name}" not in GUIDE] == []
