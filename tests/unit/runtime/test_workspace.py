"""The working memory of a batch."""

import pytest

from shequn.runtime.fold import Workspace
from tests.support.events import message
from tests.support.toy.service import AUTHORS, LINES, TOTALS, Author, Line


def workspace(**authors: Author | None) -> Workspace:
    work = Workspace()
    work.load(AUTHORS, {(name,): author for name, author in authors.items()})
    return work


class TestStates:
    def test_a_key_without_a_row_has_the_initial_state(self) -> None:
        assert workspace(ann=None).get(AUTHORS, "ann") == Author("ann")

    def test_a_later_event_sees_what_an_earlier_one_wrote(self) -> None:
        work = workspace(ann=None)
        with work.event():
            work.put(AUTHORS, Author("ann", messages=1))
        assert work.get(AUTHORS, "ann").messages == 1

    def test_a_key_without_a_row_is_not_found(self) -> None:
        assert workspace(ann=None).find(AUTHORS, "ann") is None

    def test_a_row_is_found(self) -> None:
        assert workspace(ann=Author("ann", messages=2)).find(AUTHORS, "ann") == Author("ann", messages=2)

    @pytest.mark.parametrize("look", ["get", "find"])
    def test_a_key_that_was_not_declared_is_refused(self, look: str) -> None:
        with pytest.raises(KeyError, match="not declared"):
            getattr(workspace(ann=None), look)(AUTHORS, "bob")

    def test_a_row_that_nobody_replaced_is_not_written(self) -> None:
        assert workspace(ann=Author("ann", messages=2)).written_states(AUTHORS) == []

    def test_rows_are_written_in_key_order(self) -> None:
        work = workspace(bob=None, ann=None)
        with work.event():
            work.put(AUTHORS, Author("bob"))
            work.put(AUTHORS, Author("ann"))
        assert [row.member_id for row in work.written_states(AUTHORS)] == ["ann", "bob"]


class TestAnEventThatRaises:
    def test_leaves_nothing_behind(self) -> None:
        work = workspace(ann=None)
        with pytest.raises(ValueError, match="refused"), work.event():  # noqa: PT012
            work.put(AUTHORS, Author("ann", messages=9))
            work.add(TOTALS, ("open",), messages=1)
            work.append(LINES, Line("m1", "x"))
            work.emit(message(1))
            raise ValueError("refused")
        assert work.get(AUTHORS, "ann") == Author("ann")
        assert (work.written_deltas(TOTALS), work.written_rows(LINES), work.events) == ([], [], [])

    def test_does_not_take_earlier_events_with_it(self) -> None:
        work = workspace(ann=None)
        with work.event():
            work.add(TOTALS, ("open",), messages=1)
        with pytest.raises(ValueError, match="refused"), work.event():  # noqa: PT012
            work.add(TOTALS, ("open",), messages=1)
            raise ValueError("refused")
        assert work.written_deltas(TOTALS) == [(("open",), {"messages": 1})]
