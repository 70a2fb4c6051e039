from prometheus_client import CollectorRegistry

from services.moderation.handlers import ChatFolder
from services.moderation.metrics import ModerationMetrics
from shequn.testing.memory import FoldRunner
from tests.unit.moderation.builders import COMMUNITY, at, definition, posted


class TestObserve:
    def test_counts_decisions_by_check_and_sanctions_by_rung(self) -> None:
        registry = CollectorRegistry()
        folder = ChatFolder(ModerationMetrics(registry))
        events = [posted("hello", "1"), posted("casino", "2"), posted("example.com", "3", member="bob")]
        folder.observe(events, FoldRunner(folder, definition()).run(events))

        def judged(verdict: str, check: str) -> float | None:
            labels = {"community": COMMUNITY, "verdict": verdict, "check": check}
            return registry.get_sample_value("shequn_moderation_messages_judged_total", labels)

        assert (judged("pass", "none"), judged("delete", "words"), judged("flag", "links")) == (1, 1, 1)

    def test_counts_sanctions_by_rung(self) -> None:
        registry = CollectorRegistry()
        folder = ChatFolder(ModerationMetrics(registry))
        events = [posted("casino", "1"), posted("casino", "2", at(60))]
        folder.observe(events, FoldRunner(folder, definition()).run(events))
        imposed = [
            registry.get_sample_value(
                "shequn_moderation_sanctions_imposed_total", {"community": COMMUNITY, "rung": rung}
            )
            for rung in ("remind", "warn")
        ]
        assert imposed == [1, 1]
