"""Rule sets made ready for use: built once per version of a community, when the first message needs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from services.moderation.checks import Check, CheckContext, FloodCheck, LinkCheck, Message, WordCheck
from services.moderation.texts import Sentences, sentences
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.rules import LadderRule, RuleSet
from shequn.contracts.definitions.values import Rate
from shequn.contracts.moderation import CheckResult
from shequn.contracts.signups import Language

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class ReadyRules:
    """A rule set whose checks are built.

    Attributes:
        source: the rule set it was built from.
        checks: in the order in which they decide among equals.
        flood: the limit on messages, if there is one.
        ladder: what offences bring.
    """

    source: RuleSet
    checks: tuple[Check, ...]
    flood: Rate | None
    ladder: LadderRule

    def examine(self, message: Message, context: CheckContext) -> list[CheckResult]:
        """Ask every check."""
        return [check.examine(message, context) for check in self.checks]

    @property
    def burst(self) -> timedelta:
        """How close offences that one check finds must be to be one: the flood window; zero where there is none."""
        return self.flood.within if self.flood else timedelta(0)


class Rulebook:
    """The rules of one version of a community.

    Attributes:
        definition: the version.
        language: the language moderation speaks there: the community's first.
        sentences: what it says in that language.
        longest_window: the longest flood window of all rule sets, in milliseconds.
    """

    __slots__ = ("_former", "_names", "_ready", "definition", "language", "longest_window", "sentences")

    def __init__(self, definition: CommunityDefinition, former: "Rulebook | None" = None) -> None:
        """Index the groups; what did not change is taken over from the ``former`` version's book."""
        self.definition = definition
        self.language: Language = definition.languages[0] if definition.languages else "zh"
        self.sentences: Sentences = sentences(self.language)
        self.longest_window = max(
            (rules.flood.within // _MILLISECOND for rules in definition.rules if rules.flood), default=0
        )
        self._names = {group.id: group.rules for group in definition.groups if definition.rule_set(group.rules)}
        self._ready: dict[str, ReadyRules] = {}
        self._former = dict(former.ready) if former and former.language == self.language else {}

    @property
    def ready(self) -> Mapping[str, ReadyRules]:
        """The rule sets that are built, by id."""
        return self._ready

    def rules_of(self, group: str) -> ReadyRules | None:
        """Give the rules of a group; none when the group is not known or has none."""
        name = self._names.get(group)
        if name is None:
            return None
        return self._ready.get(name) or self._prepare(name)

    def _prepare(self, name: str) -> ReadyRules | None:
        rules = self.definition.rule_set(name)
        if rules is None:
            return None
        former = self._former.pop(name, None)
        ready = former if former and former.source == rules else self._build(rules, former)
        self._ready[name] = ready
        return ready

    def _build(self, rules: RuleSet, former: ReadyRules | None) -> ReadyRules:
        # The automaton is the dear part; a change of another rule leaves it as it is.
        words = former.checks[0] if former and former.source.words == rules.words else None
        checks: tuple[Check, ...] = (
            words or WordCheck(rules.words, self.sentences),
            LinkCheck(rules.links, self.sentences),
            FloodCheck(rules.flood, self.sentences),
        )
        return ReadyRules(rules, checks, rules.flood, rules.ladder)


class Rulebooks:
    """The rulebooks of all communities, in the versions in force."""

    def __init__(self) -> None:
        """Start empty; books are made as communities are met."""
        self._books: dict[str, Rulebook] = {}

    def of(self, definition: CommunityDefinition) -> Rulebook:
        """Give the book of a definition. A version never changes, so its number tells whether it is the same."""
        book = self._books.get(definition.community)
        if book is None or (book.definition is not definition and book.definition.version != definition.version):
            book = self._books[definition.community] = Rulebook(definition, book)
        return book
