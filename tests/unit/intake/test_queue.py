from services.intake.handlers import ActionsFolder
from services.intake.tables import ACTION_KEYS, ACTION_TOTALS, QUEUE
from shequn.contracts.actions import SendMessage
from shequn.testing.memory import FoldRunner
from tests.unit.intake.builders import COMMUNITY, NOW, book, delete, send

SEND = (COMMUNITY, SendMessage.TYPE)


def runner() -> FoldRunner:
    return FoldRunner(ActionsFolder(), *book().definitions, now=NOW)


def test_an_action_enters_the_queue_whole() -> None:
    folder, command = runner(), send("k1", text="欢迎 🎉")
    folder.run([command])
    (queued,) = folder.log(QUEUE)
    assert SendMessage.model_validate_json(queued.command) == command
    assert (queued.priority, queued.due_at) == (2, NOW)


def test_a_deletion_goes_first() -> None:
    folder = runner()
    folder.run([send("k1"), delete("k2")])
    assert [queued.priority for queued in folder.log(QUEUE)] == [2, 0]


class TestSameKey:
    def test_from_another_action_is_a_duplicate(self) -> None:
        folder = runner()
        folder.run([send("k1"), send("k1", variant="again")])
        assert len(folder.log(QUEUE)) == 1
        assert folder.counters(ACTION_TOTALS)[SEND] == {"accepted": 1, "duplicates": 1}

    def test_days_later_is_a_duplicate(self) -> None:
        folder = runner()
        for variant in ("", "a", "b"):
            folder.run([send("k1", variant=variant)])
        state = folder.state(ACTION_KEYS, "k1")
        assert state is not None
        assert (state.action_id, state.duplicates) == (send("k1").id, 2)

    def test_the_same_action_again_is_not_even_one(self) -> None:
        folder = runner()
        folder.run([send("k1")])
        folder.run([send("k1")])
        assert folder.counters(ACTION_TOTALS)[SEND]["duplicates"] == 0


def test_delivery_is_woken_after_the_commit() -> None:
    woken: list[bool] = []
    folder = ActionsFolder(lambda: woken.append(True))
    folder.observe([], [])
    folder.observe([send("k1")], [])
    assert woken == [True]
