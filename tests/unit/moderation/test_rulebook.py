from datetime import timedelta

from services.moderation.rulebook import Rulebooks
from shequn.contracts.definitions.values import Rate
from tests.unit.moderation.builders import definition, rule_set, words


class TestRulebooks:
    def test_keep_one_book_for_a_version(self) -> None:
        books = Rulebooks()
        assert books.of(definition(version=1)) is books.of(definition(version=1))

    def test_open_a_new_one_for_a_new_version(self) -> None:
        books = Rulebooks()
        assert books.of(definition(version=1)) is not books.of(definition(version=2))


class TestRules:
    def test_are_built_once_for_all_groups_that_name_them(self) -> None:
        book = Rulebooks().of(definition())
        assert book.rules_of("main") is book.rules_of("side") is not None

    def test_are_none_for_a_group_without(self) -> None:
        book = Rulebooks().of(definition())
        assert book.rules_of("lawless") is book.rules_of("nowhere") is None

    def test_that_did_not_change_are_taken_over(self) -> None:
        books = Rulebooks()
        before = books.of(definition(version=1)).rules_of("main")
        assert books.of(definition(version=2)).rules_of("main") is before

    def test_whose_words_did_not_change_keep_their_automaton(self) -> None:
        books = Rulebooks()
        before = books.of(definition(version=1)).rules_of("main")
        stricter = rule_set(flood=Rate(count=1, within=timedelta(seconds=1)))
        after = books.of(definition(stricter, version=2)).rules_of("main")
        assert before is not None
        assert after is not None
        assert after is not before
        assert after.checks[0] is before.checks[0]

    def test_with_new_words_are_built_anew(self) -> None:
        books = Rulebooks()
        before = books.of(definition(version=1)).rules_of("main")
        after = books.of(definition(rule_set(words=(words("new"),)), version=2)).rules_of("main")
        assert before is not None
        assert after is not None
        assert after.checks[0] is not before.checks[0]

    def test_in_another_language_are_built_anew(self) -> None:
        books = Rulebooks()
        before = books.of(definition(version=1, language="en")).rules_of("main")
        assert books.of(definition(version=2, language="zh")).rules_of("main") is not before
