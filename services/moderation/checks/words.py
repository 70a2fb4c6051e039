"""Forbidden words: an Aho-Corasick automaton over normalised text."""

from collections.abc import Iterable
from dataclasses import dataclass

import ahocorasick

from services.moderation.checks.base import EVIDENCE_LIMIT, CheckContext, Message, passed
from services.moderation.domain.policy import severity
from services.moderation.text.normaliser import normal_form
from services.moderation.texts import Sentences, fill
from shequn.contracts.definitions.rules import WordRule
from shequn.contracts.moderation import CheckResult, Verdict


@dataclass(frozen=True, slots=True)
class _Entry:
    """What an automaton keeps of a word. Words of equal length and category share one."""

    severity: int
    verdict: Verdict
    category: str
    length: int


class WordCheck:
    """Finds words of the rule set's lists anywhere in a message, without regard to case, width or invisible characters.

    Building takes about 0.3 s for 100,000 words, 35 MB: build once per version of a rule set and keep it.
    """

    name = "words"

    def __init__(self, rules: Iterable[WordRule], sentences: Sentences) -> None:
        """Build the automaton. A word in several lists counts for the strictest."""
        entries = _strictest(rules)
        self._found = sentences.words_found
        self._pass = passed(self.name, sentences.words_clean if entries else sentences.words_none_listed)
        self._worst = max((entry.severity for entry in entries.values()), default=0)
        self._automaton: ahocorasick.Automaton | None = None
        if entries:
            self._automaton = ahocorasick.Automaton()
            for word, entry in entries.items():
                self._automaton.add_word(_bytewise(word), entry)
            self._automaton.make_automaton()

    def examine(self, message: Message, context: CheckContext) -> CheckResult:  # noqa: ARG002  # words need no history
        """Answer with the strictest word of the message, the first one among equals."""
        if self._automaton is None:
            return self._pass
        found: _Entry | None = None
        last = 0
        bytewise = _bytewise(message.text.text)
        for position, entry in self._automaton.iter(bytewise):
            if found is None or entry.severity > found.severity:
                found, last = entry, position
                if found.severity == self._worst:
                    break
        return self._pass if found is None else self._result(found, message, _characters(bytewise[: last + 1]))

    def _result(self, entry: _Entry, message: Message, end: int) -> CheckResult:
        return CheckResult(
            check=self.name,
            verdict=entry.verdict,
            reason=fill(self._found, {"category": entry.category}),
            evidence=message.text.quote(end - entry.length, end, EVIDENCE_LIMIT),
        )


def _bytewise(text: str) -> str:
    # The automaton searches the children of a node one by one, and 100,000 Chinese words begin with thousands of
    # different characters. With one letter per UTF-8 byte a node has few children: 4 instead of 39 µs for 60 letters.
    # UTF-8 never matches in the middle of a character.
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _characters(bytewise: str) -> int:
    return len(bytewise.encode("latin-1").decode("utf-8", "surrogatepass"))


def _strictest(rules: Iterable[WordRule]) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    for rule in rules:
        level = severity(rule.verdict)
        if level == severity(Verdict.PASS):
            continue
        by_length: dict[int, _Entry] = {}
        for word in rule.words:
            normal = normal_form(word).strip()
            known = entries.get(normal)
            if not normal or (known is not None and known.severity >= level):
                continue
            length = len(normal)
            shared = by_length.get(length)
            if shared is None:
                shared = by_length[length] = _Entry(level, rule.verdict, rule.category, length)
            entries[normal] = shared
    return entries
