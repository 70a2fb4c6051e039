"""The chats that are replayed."""

from datetime import UTC, datetime

import pytest

from bench.spine.chat import Chat, Row, _generated_rows
from bench.spine.definition import WORD_COUNT, bench_definition, forbidden_words

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = [
    Row(datetime(2015, 7, 1, 8, tzinfo=UTC), "russian", "u1", "ann", "m1", "привет"),
    Row(datetime(2015, 7, 1, 9, tzinfo=UTC), "casual", "u2", "ben", "m2", "hello"),
]


@pytest.fixture
def chat() -> Chat:
    return Chat("two rows", ROWS)


class TestReplay:
    def test_keeps_the_order_of_the_recording(self, chat: Chat) -> None:
        assert [event.data.text for event in chat.events(0, 2, NOW)] == ["привет", "hello"]

    def test_begins_again_after_the_last_row(self, chat: Chat) -> None:
        assert [event.data.text for event in chat.events(1, 4, NOW)] == ["hello", "привет", "hello"]

    def test_gives_a_repeated_row_other_ids(self, chat: Chat) -> None:
        events = list(chat.events(0, 6, NOW))
        assert len({event.id for event in events}) == len({event.data.message_id for event in events}) == 6

    def test_gives_a_repeated_row_a_later_time(self, chat: Chat) -> None:
        first, _, repeated = chat.events(0, 3, NOW)
        assert repeated.time > first.time

    def test_gives_the_same_event_for_the_same_number(self, chat: Chat) -> None:
        assert next(chat.events(3, 4, NOW)).id == list(chat.events(0, 4, NOW))[3].id

    def test_tells_when_it_was_accepted(self, chat: Chat) -> None:
        assert next(chat.events(0, 1, NOW)).recordedtime == NOW


class TestGeneratedRows:
    def test_have_ids_of_their_own(self) -> None:
        rows = _generated_rows()
        assert len({row.message_id for row in rows}) == len(rows)

    def test_are_the_same_every_time(self) -> None:
        assert _generated_rows() == _generated_rows()

    def test_hold_forbidden_words_seldom(self) -> None:
        words = forbidden_words()
        breaches = sum(any(word in row.text for word in words) for row in _generated_rows()[:2_000])
        assert 0 < breaches <= 20


class TestDefinition:
    def test_has_one_group_per_room_with_rules(self, chat: Chat) -> None:
        definition = bench_definition(chat.groups)
        assert [(group.id, group.rules) for group in definition.groups] == [("casual", "open"), ("russian", "open")]

    def test_lists_a_thousand_words(self) -> None:
        assert len(set(forbidden_words())) == WORD_COUNT
