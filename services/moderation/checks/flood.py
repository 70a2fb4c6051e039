"""Flooding: more messages of one member in a group within a window than the rule allows.

Times are those of the events, so the order in which messages come matters little. A message is over the limit when some
window around it holds more than the limit of the messages that are known. Of a burst that fits into one window,
everything beyond the limit is flagged in whatever order it comes. Over several windows the order can matter: what was
decided stays decided, and a late message is judged against what is known when it comes.
"""

from services.moderation.checks.base import CheckContext, Message, passed
from services.moderation.texts import Sentences, fill
from shequn.contracts.definitions.values import Rate
from shequn.contracts.moderation import CheckResult, Verdict


class FloodCheck:
    """Counts messages within the window."""

    name = "flood"

    def __init__(self, rate: Rate | None, sentences: Sentences) -> None:
        """Prepare every answer: there are only as many as the limit."""
        self._limit = rate.count if rate else 0
        self._window = round(rate.within.total_seconds() * 1000) if rate else 0
        self._unlimited = passed(self.name, sentences.flood_no_limit)
        values = {"limit": self._limit, "seconds": f"{self._window / 1000:g}"}
        self._calm = [
            passed(self.name, fill(sentences.flood_calm, {**values, "count": count}))
            for count in range(self._limit + 1)
        ]
        self._over = CheckResult(check=self.name, verdict=Verdict.FLAG, reason=fill(sentences.flood_over, values))

    def examine(self, message: Message, context: CheckContext) -> CheckResult:
        """Judge by the latest messages that are remembered: as many as the limit, so with this one it is one more."""
        if not self._limit:
            return self._unlimited
        at, window = message.at, self._window
        times = [time for message_id, time in context.recent.items() if message_id != message.message_id]
        if len(times) >= self._limit and max(at, *times) - min(at, *times) < window:
            return self._over
        count = 1
        for time in times:
            if at - window < time <= at:
                count += 1
        return self._calm[min(count, self._limit)]
