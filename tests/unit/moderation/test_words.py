import pytest

from services.moderation.checks import WordCheck
from services.moderation.texts import CHINESE, ENGLISH
from shequn.contracts.definitions.rules import WordRule
from shequn.contracts.moderation import CheckResult, Verdict
from tests.unit.moderation.builders import NOTHING, message, words


def examine(text: str, *rules: WordRule) -> CheckResult:
    return WordCheck(rules or (words("赌场", "casino"),), ENGLISH).examine(message(text), NOTHING)


class TestWords:
    @pytest.mark.parametrize(
        ("text", "evidence"),
        [
            ("Come to the Casino", "Casino"),
            ("ＣＡＳＩＮＯ", "ＣＡＳＩＮＯ"),
            ("今晚赌场见", "赌场"),
            ("今晚赌\u200b场见", "赌\u200b场"),
            ("c\u2060a\u200ds\u200bino", "c\u2060a\u200ds\u200bino"),
            ("😀赌场😀", "赌场"),
            ("x" * 65_000 + "casino", "casino"),
            ("群" * 65_000 + "赌场", "赌场"),
        ],
    )
    def test_are_found_and_quoted_as_written(self, text: str, evidence: str) -> None:
        result = examine(text)
        assert (result.verdict, result.evidence) == (Verdict.DELETE, evidence)

    @pytest.mark.parametrize(
        "text", ["", "   ", "hello", "今晚一起读书", "赌 场", "cas ino", "😀", "\u200b", "群" * 65_536]
    )
    def test_that_are_not_there_pass_with_a_reason(self, text: str) -> None:
        result = examine(text)
        assert (result.verdict, result.reason) == (Verdict.PASS, "The message has none of the forbidden words.")

    def test_none_listed_is_said(self) -> None:
        check = WordCheck((), ENGLISH)
        assert check.examine(message("casino"), NOTHING).reason == "This group lists no forbidden words."

    def test_name_their_category(self) -> None:
        check = WordCheck((words("赌场", category="gambling"),), CHINESE)
        assert check.examine(message("赌场"), NOTHING).reason == "消息里有本群禁止的“gambling”类词语。"

    def test_listed_full_width_match_half_width(self) -> None:
        assert examine("vx123", words("ＶＸ")).evidence == "vx"

    def test_of_the_strictest_list_decide(self) -> None:
        mild = words("spam", category="ads", verdict=Verdict.FLAG)
        result = examine("spam in the casino", mild, words("casino"))
        assert (result.verdict, result.evidence) == (Verdict.DELETE, "casino")

    def test_in_two_lists_count_for_the_stricter(self) -> None:
        lists = words("casino", verdict=Verdict.FLAG), words("casino", verdict=Verdict.DELETE)
        assert {examine("casino", *order).verdict for order in (lists, lists[::-1])} == {Verdict.DELETE}

    def test_the_first_among_equals_is_quoted(self) -> None:
        assert examine("casino 赌场").evidence == "casino"

    def test_of_a_list_that_passes_are_not_looked_for(self) -> None:
        assert examine("casino", words("casino", verdict=Verdict.PASS)).verdict is Verdict.PASS

    def test_that_are_invisible_match_nothing(self) -> None:
        assert examine("hello", words("\u200b", " ")).verdict is Verdict.PASS
