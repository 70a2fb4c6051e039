"""`shequn check`, `plan` and `apply` on a real bus."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.support.command import ROOT, shequn

SAMPLE = ROOT / "samples" / "reading-club"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "club"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


class TestCheck:
    async def test_a_good_folder_is_valid_and_scored(self) -> None:
        answer = await shequn("check", SAMPLE)
        assert answer.code == 0
        assert "reading-club: valid" in answer.out
        assert "ISOOC" in answer.out

    async def test_a_wrong_field_is_named_with_file_line_and_hint(self, folder: Path) -> None:
        edit(folder / "products.yaml", "price: 9.90", "prise: 9.90")
        answer = await shequn("check", folder)
        assert answer.code == 2
        assert "products.yaml:" in answer.err
        assert "prise" in answer.err
        assert "price" in answer.err

    async def test_a_missing_folder_is_an_error_and_no_traceback(self, tmp_path: Path) -> None:
        answer = await shequn("check", tmp_path / "nowhere")
        assert answer.code == 2
        assert "nowhere" in answer.err
        assert "Traceback" not in answer.err

    @pytest.mark.parametrize("option", [(), ("--json",)])
    async def test_a_key_tells_the_terminal_nothing(self, folder: Path, option: tuple[str, ...]) -> None:
        path = folder / "community.yaml"
        path.write_text(path.read_text(encoding="utf-8") + '\n"\\e[2Jkey[/b]": 1\n', encoding="utf-8")
        answer = await shequn("check", folder, *option)
        assert answer.code == 2
        assert "key[/b]" in answer.err
        assert "\x1b" not in answer.err + answer.out

    async def test_json_lists_the_problems(self, folder: Path) -> None:
        (folder / "community.yaml").write_text("community: [", encoding="utf-8")
        answer = await shequn("check", folder, "--json")
        assert answer.code == 2
        assert answer.last_json["valid"] is False
        assert answer.last_json["problems"]


class TestApply:
    async def test_versions_count_up_only_when_something_changed(self, folder: Path, nats_url: str) -> None:
        first = await shequn("apply", folder, "--json", SHEQUN_NATS_URL=nats_url)
        again = await shequn("apply", folder, "--json", SHEQUN_NATS_URL=nats_url)
        edit(folder / "products.yaml", "price: 9.90", "price: 12.90")
        changed = await shequn("apply", folder, "--json", SHEQUN_NATS_URL=nats_url)
        versions = [answer.last_json["version"] for answer in (first, again, changed)]
        assert versions == [1, 1, 2]

    async def test_plan_shows_the_change_and_changes_nothing(self, folder: Path, nats_url: str) -> None:
        await shequn("apply", folder, SHEQUN_NATS_URL=nats_url)
        edit(folder / "products.yaml", "price: 9.90", "price: 12.90")
        plan = await shequn("plan", folder, SHEQUN_NATS_URL=nats_url)
        assert "course-low" in plan.out
        after = await shequn("plan", folder, "--json", SHEQUN_NATS_URL=nats_url)
        assert after.last_json["version"] == 1

    async def test_a_bus_that_is_not_there_is_named(self, folder: Path) -> None:
        answer = await shequn("apply", folder, SHEQUN_NATS_URL="nats://127.0.0.1:1")
        assert answer.code == 1
        assert "NATS is not reachable at nats://127.0.0.1:1: connection refused" in answer.err
        assert "Traceback" not in answer.err

    async def test_an_address_that_is_none_is_refused_at_once_without_its_password(self, folder: Path) -> None:
        answer = await shequn("apply", folder, SHEQUN_NATS_URL="nats://me:secret@nonsense url")
        assert answer.code == 2
        assert "SHEQUN_NATS_URL is wrong: 'nats://nonsense url'" in answer.err
        assert "secret" not in answer.err

    async def test_without_any_stack_it_says_how_to_start_one(self, folder: Path, tmp_path: Path) -> None:
        answer = await shequn("apply", folder, "--data", tmp_path / "empty")
        assert answer.code == 2
        assert "./run up" in answer.err

    async def test_at_the_same_time_never_gives_one_version_twice(self, folder: Path, nats_url: str) -> None:
        other = Path(shutil.copytree(folder, folder.parent / "other"))
        edit(other / "products.yaml", "price: 9.90", "price: 12.90")
        answers = await asyncio.gather(
            *(shequn("apply", each, "--json", SHEQUN_NATS_URL=nats_url) for each in (folder, other))
        )
        versions = [answer.last_json["version"] for answer in answers if answer.code == 0]
        assert versions
        assert len(versions) == len(set(versions))
        refused = (
            "error: somebody else applied a definition while reading-club was being applied; look, and try again\n"
        )
        assert {(answer.code, answer.err) for answer in answers if answer.code != 0} <= {(1, refused)}
