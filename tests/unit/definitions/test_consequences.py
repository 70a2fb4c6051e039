"""A fault is told once, where it is: checks that need what is faulty are held back until it is mended."""

import shutil
from pathlib import Path

import pytest

from .conftest import SOUND, Workshop

SAMPLE = Path(__file__).parents[3] / "samples" / "reading-club"


@pytest.fixture
def club(tmp_path: Path) -> Workshop:
    """The sample, whose files name each other in every way."""
    club = Workshop(tmp_path / "club")
    shutil.rmtree(club.path)
    shutil.copytree(SAMPLE, club.path)
    # A second product on the lowest rung: leaving out one of the two does not empty the rung.
    club.append("products.yaml", "  - {id: talk-low, kind: ticket, rung: low, price: 5}\n")
    assert club.load().definition.products
    return club


def told(folder: Workshop) -> list[tuple[str, str]]:
    """Every problem's file and field."""
    return [(found.file, found.field) for found in folder.problems()]


class TestABrokenProduct:
    @pytest.mark.parametrize(
        ("old", "new", "field"),
        [
            ("price: 9.90 ", "price: nine ", "price"),
            ("price: 9.90 ", "price: 9.999 ", "price"),
            ("price: 9.90 ", "price: 0 ", "price"),
            ("price: 9.90 ", "# price: 9.90 ", ""),
            ("id: course-low", "id: Course Low", "id"),
            ("id: course-low", "name: {zh: 课, en: course}", "name"),
            ("rung: low\n", "rung: lowest\n", "rung"),
            ("quantity: 10000", "quantity: -1", "quantity"),
            ("quantity: 10000", "quantiti: 10000", "quantiti"),
            ("quantity: 10000", "requires: {bought: course-lw}", "requires.bought"),
        ],
    )
    def test_is_the_only_problem(self, club: Workshop, old: str, new: str, field: str) -> None:
        found = club.replace("products.yaml", old, new).problems()
        assert {problem.file for problem in found} == {"products.yaml"}
        assert f"products[1].{field}".rstrip(".") in {problem.field for problem in found}
        assert len(found) == (2 if field == "name" else 1)  # a second name and no id

    def test_is_the_only_problem_on_every_rung(self, club: Workshop) -> None:
        for rung in ("low", "middle", "high"):
            text = (club.path / "products.yaml").read_text(encoding="utf-8")
            club.write("products.yaml", text.replace(f"rung: {rung}\n", f"rung: {rung}est\n"))
            assert club.problem().message.startswith(f"'{rung}est' is not one of")
            club.write("products.yaml", text)

    def test_hides_no_problem_of_another_kind(self, club: Workshop) -> None:
        club.replace("products.yaml", "price: 9.90 ", "price: nine ")
        club.replace("community.yaml", "Asia/Shanghai", "Mars")
        assert told(club) == [("community.yaml", "timezone"), ("products.yaml", "products[1].price")]


class TestABrokenListOfProducts:
    @pytest.mark.parametrize("text", ["products: {bag: {price: 3}}\n", "product:\n  - {id: bag}\n", "products: bag\n"])
    def test_makes_no_product_unknown(self, club: Workshop, text: str) -> None:
        assert {file for file, _ in told(club.write("products.yaml", text))} == {"products.yaml"}

    def test_that_is_misnamed_makes_no_product_unknown(self, club: Workshop) -> None:
        (club.path / "products.yaml").rename(club.path / "product.yaml")
        assert (club.problem().file, club.problem().hint) == ("product.yaml", "did you mean 'products.yaml'?")


class TestABrokenCommunity:
    @pytest.mark.parametrize(
        ("old", "new", "field"),
        [
            ("currency: CNY", "currency: yuan", "currency"),
            ("currency: CNY", "currency: 5", "currency"),
            ("timezone: Asia/Shanghai", "timezone: Mars", "timezone"),
            ("languages: [zh, en]", "languages: [zh, fr]", "languages[1]"),
        ],
    )
    def test_is_the_only_problem(self, club: Workshop, old: str, new: str, field: str) -> None:
        found = club.replace("community.yaml", old, new).problem()
        assert (found.file, found.field) == ("community.yaml", field)

    def test_without_currency_has_that_problem_alone(self, club: Workshop) -> None:
        assert told(club.replace("community.yaml", "currency: CNY", "#")) == [("community.yaml", "currency")]

    def test_that_is_no_yaml_is_the_only_problem(self, club: Workshop) -> None:
        assert club.write("community.yaml", "community: [").problem().file == "community.yaml"

    @pytest.mark.parametrize(
        ("old", "new", "field"),
        [
            ("rules:\n  open:", "rules: 5\nrulez:\n  open:", "rules"),
            ("  open:\n    notice", "  Open:\n    notice", "rules.Open"),
            ("words: {ads: [加微信, buy now]}", "words: 5", "words"),
            ("words: {ads: [加微信, buy now]}", "words: [ads]", "words"),
        ],
    )
    def test_block_makes_nothing_in_it_unknown(self, folder: Workshop, old: str, new: str, field: str) -> None:
        folder.replace("community.yaml", "[bare-link, ads]", "[bare-link, ads, spam]")
        folder.write("words/spam.txt", "spam\n").replace("community.yaml", old, new)
        assert {found.field for found in folder.problems()} - {"rulez"} == {field}

    def test_list_of_words_makes_no_kind_unknown(self, folder: Workshop) -> None:
        folder.replace("community.yaml", "ads: [加微信, buy now]", "own-kind: 5").replace(
            "community.yaml", "[bare-link, ads]", "[bare-link, own-kind]"
        )
        assert folder.problem().field == "words.own-kind"

    @pytest.mark.parametrize("name", ["words/own-kind.yaml", "word/own-kind.txt"])
    def test_file_of_words_that_is_misnamed_makes_no_kind_unknown(self, folder: Workshop, name: str) -> None:
        folder.write(name, "spam\n").replace("community.yaml", "[bare-link, ads]", "[bare-link, ads, own-kind]")
        assert folder.problem().message == "is not read"


class TestABrokenMessage:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("messages/welcome.yaml", "messages: [welcome]\n"),
            ("messages/welcome.yaml", "messages: {Welcome: {zh: 一, en: one}}\n"),
            ("messages/welcome.yaml", "zh: 5\nen: Hello\n"),
            ("messages/Welcome!.yaml", "zh: 一\nen: one\n"),
            ("messages/welcome.yml", "zh: 一\nen: one\n"),
            ("message/welcome.yaml", "zh: 一\nen: one\n"),
        ],
    )
    def test_is_the_only_problem(self, folder: Workshop, name: str, text: str) -> None:
        found = folder.remove("messages/welcome.yaml").write(name, text).problem()
        assert found.file == (name if name.startswith("messages/") else "message")


class TestABrokenStage:
    @pytest.mark.parametrize("stages", ["stages: free", "stages: [{id: Free, name: {zh: 免费, en: Free}}]"])
    def test_is_the_only_problem(self, folder: Workshop, stages: str) -> None:
        funnel = SOUND["funnels/growth.yaml"]
        old = funnel[funnel.index("stages:") : funnel.index("steps:")]
        assert folder.write("funnels/growth.yaml", funnel.replace(old, f"{stages}\n")).problem().line == 3


class TestWhatIsSoundButNamesNothing:
    def test_is_still_told(self, club: Workshop) -> None:
        club.replace("products.yaml", "price: 9.90 ", "price: nine ")
        text = (club.path / "referral.yaml").read_text(encoding="utf-8")
        club.write("referral.yaml", text.replace("course-low", "course-lw"))
        assert {file for file, _ in told(club)} == {"products.yaml", "referral.yaml"}
