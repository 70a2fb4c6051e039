from dataclasses import fields

import pytest

from services.moderation.texts import CHINESE, ENGLISH, Sentences, fill, letter, sentences
from shequn.contracts.definitions.values import LocalizedText
from shequn.contracts.moderation import Rung
from tests.unit.moderation.builders import definition


class TestFill:
    def test_puts_values_in(self) -> None:
        assert fill("{strikes} of {name}", {"strikes": 2, "name": "Ann"}) == "2 of Ann"

    def test_leaves_what_it_does_not_know(self) -> None:
        assert fill("{nobody} {0} {} {", {}) == "{nobody} {0} {} {"

    def test_does_not_fill_what_was_filled_in(self) -> None:
        assert fill("{name}", {"name": "{reason}", "reason": "x"}) == "{reason}"


class TestLetter:
    def test_is_the_communitys_own(self) -> None:
        own = definition(messages={"moderation-remind": LocalizedText(zh="请注意", en="Mind the rules")})
        assert letter(own, Rung.REMIND, "zh") == "请注意"

    def test_is_ours_where_there_is_none(self) -> None:
        assert letter(definition(), Rung.WARN, "zh") == CHINESE.warn


class TestSentences:
    def test_of_an_unknown_language_are_chinese(self) -> None:
        assert sentences("fr") is CHINESE

    @pytest.mark.parametrize("field", [field.name for field in fields(Sentences)])
    def test_use_known_placeholders_alike_in_both_languages(self, field: str) -> None:
        known = {"category", "count", "limit", "seconds", "group", "reason", "strikes", "appeal_hours"}
        for language in (ENGLISH, CHINESE):
            assert "{" not in fill(getattr(language, field), dict.fromkeys(known, ""))
