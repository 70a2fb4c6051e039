"""Links: a bare link needs a sentence that says what it is (DOMAIN §3)."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

import tldextract

from services.moderation.checks.base import EVIDENCE_LIMIT, CheckContext, Message, passed
from services.moderation.text.normaliser import normal_form
from services.moderation.texts import Sentences
from shequn.contracts.chat import ContentKind
from shequn.contracts.definitions.rules import LinkRule
from shequn.contracts.moderation import CheckResult, Verdict

# Chinese is written without spaces, so a link ends where ASCII ends. A host in another script is only seen behind a
# scheme or `www.`: "1.公司简介" is a list item, though `.公司` is a top-level domain.
_PATH = r"(?:[/?#][!#-;=?-_a-~]*+)?"
_LINK = re.compile(
    rf"(?:(?:https?|ftp)://|(?<![a-z0-9._-])www\.)(?P<named>[a-z0-9._~:@%\[\]-]++|[^\s/?#,;!()<>\"']++){_PATH}"
    rf"|(?<![a-z0-9@._/\\-])(?P<bare>[a-z0-9-]++(?:\.[a-z0-9-]++)++)(?::[0-9]{{1,5}})?(?![a-z0-9@_(\\]){_PATH}"
)
_MENTION = re.compile(r"@[\w.-]+")
# One Chinese character, kana or syllable is a word; so is a run of letters of any other script.
_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U000323af"
_WORD = re.compile(rf"[{_HAN}]|[^\W\d_{_HAN}]+")
_TRAILING = ".,!?;:)]}'*"


class Link(NamedTuple):
    """A link in normalised text: where it stands and the host it leads to."""

    start: int
    end: int
    host: str


class LinkCheck:
    """Judges links by the policy of the rule set."""

    name = "links"

    def __init__(self, rule: LinkRule, sentences: Sentences) -> None:
        """Prepare every answer that has no evidence."""
        self._policy = rule.policy
        self._min_words = rule.min_words
        self._trusted_hosts = tuple(
            normal_form(domain).strip(" .").removeprefix("www.") for domain in rule.allow_domains
        )
        self._bare, self._forbidden = sentences.links_bare, sentences.links_forbidden
        self._allowed = passed(self.name, sentences.links_allowed)
        self._none = passed(self.name, sentences.links_none)
        self._trusted = passed(self.name, sentences.links_trusted)
        self._explained = passed(self.name, sentences.links_explained)

    def examine(self, message: Message, context: CheckContext) -> CheckResult:  # noqa: ARG002  # links need no history
        """Answer by the first link that is not to an allowed site."""
        if self._policy == "allow":
            return self._allowed
        text = message.text.text
        is_card = message.kind is ContentKind.LINK
        if not is_card and "." not in text and "://" not in text:
            return self._none
        link, seen = self._first_untrusted(text)
        if link is None and (seen or not is_card):
            return self._trusted if seen else self._none
        if self._policy == "forbid":
            return self._result(message, link, Verdict.DELETE, self._forbidden)
        if has_words(text, self._min_words):
            return self._explained
        return self._result(message, link, Verdict.FLAG, self._bare)

    def _first_untrusted(self, text: str) -> tuple[Link | None, bool]:
        seen = False
        for link in find_links(text):
            seen = True
            if not self._trusts(link.host):
                return link, seen
        return None, seen

    def _trusts(self, host: str) -> bool:
        return any(host == trusted or host.endswith(f".{trusted}") for trusted in self._trusted_hosts)

    def _result(self, message: Message, link: Link | None, verdict: Verdict, reason: str) -> CheckResult:
        evidence = message.text.quote(link.start, link.end, EVIDENCE_LIMIT) if link else ""
        return CheckResult(check=self.name, verdict=verdict, reason=reason, evidence=evidence)


def find_links(text: str) -> Iterator[Link]:
    """Find links in normalised text: with a scheme, with ``www.``, and bare domains under a known public suffix."""
    for match in _LINK.finditer(text):
        written = match.group().rstrip(_TRAILING)
        bare = match["bare"]
        if bare is not None and not _is_domain(bare):
            continue
        host = _host(bare if bare is not None else match["named"])
        yield Link(match.start(), match.start() + len(written), host)


def has_words(text: str, wanted: int) -> bool:
    """Tell whether there are so many words besides links and mentions; a Chinese character is one."""
    return len(list(islice(_words_outside_links(text), wanted))) == wanted


def _words_outside_links(text: str) -> Iterator[str]:
    position = 0
    for link in find_links(text):
        yield from _words(text[position : link.start])
        position = link.end
    yield from _words(text[position:])


def _words(text: str) -> Iterator[str]:
    return (match.group() for match in _WORD.finditer(_MENTION.sub(" ", text)))


def _host(authority: str) -> str:
    host = authority.rpartition("@")[2]
    return host.partition(":")[0].strip(".")


def _is_domain(host: str) -> bool:
    suffixes, top_level = public_suffixes()
    return host.rpartition(".")[2] in top_level and host not in suffixes


@cache
def public_suffixes() -> tuple[frozenset[str], frozenset[str]]:
    """Give the public suffixes and their last labels, from the list that tldextract carries; nothing is fetched.

    Reading it takes some 30 ms: call it once before the first message.
    """
    extract = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())
    suffixes = frozenset(extract.tlds)
    last_labels = {suffix.rpartition(".")[2] for suffix in suffixes}
    return suffixes, frozenset(last_labels | {label.encode("idna").decode() for label in last_labels})
