from typing import Any

import pytest

from services.moderation.checks import LinkCheck
from services.moderation.checks.links import find_links, has_words
from services.moderation.text.normaliser import normal_form
from services.moderation.texts import ENGLISH
from shequn.contracts.chat import ContentKind
from shequn.contracts.definitions.rules import LinkRule
from shequn.contracts.moderation import CheckResult, Verdict
from tests.unit.moderation.builders import NOTHING, message


def examine(text: str, kind: ContentKind = ContentKind.TEXT, **rule: Any) -> CheckResult:
    return LinkCheck(LinkRule(**rule), ENGLISH).examine(message(text, kind=kind), NOTHING)


def hosts(text: str) -> list[str]:
    return [link.host for link in find_links(normal_form(text))]


class TestFindLinks:
    @pytest.mark.parametrize(
        ("text", "host"),
        [
            ("https://example.com/a?b=1#c", "example.com"),
            ("HTTP://EXAMPLE.COM", "example.com"),
            ("http://user:pw@example.com:8080/x", "example.com"),
            ("http://localhost:8080/x", "localhost"),
            ("看这里https://example.com/a很好", "example.com"),
            ("看https://example.com，很好", "example.com"),
            ("（https://example.com）", "example.com"),
            ("加我example.com看", "example.com"),
            ("example.com。", "example.com"),
            ("www.example.com很好", "example.com"),
            ("https://例子.中国/路径", "例子.中国"),
            ("xn--fsqu00a.xn--fiqs8s", "xn--fsqu00a.xn--fiqs8s"),
            ("t.me/abc", "t.me"),
            ("shop.example.co.uk!", "shop.example.co.uk"),
            ("ｅｘａｍｐｌｅ．ｃｏｍ", "example.com"),
            ("exam\u200bple.c\u2060om", "example.com"),
            ("😀example.com😀", "example.com"),
            ("[text](https://example.com)", "example.com"),
        ],
    )
    def test_finds(self, text: str, host: str) -> None:
        assert hosts(text) == [host]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "...",
            "等等...好的",
            "1.公司简介 2.网络",
            "v1.2.3 costs 9.90",
            "node.js",
            "ann@example.com",
            "ann.name@example.com",
            "array.map(f)",
            "co.uk",
            "3.14",
            "see you.  ok",
            "src/app/main.py",
            "-.-",
            "://",
        ],
    )
    def test_leaves_alone(self, text: str) -> None:
        assert hosts(text) == []

    @pytest.mark.parametrize("unit", ["a.", "a-", ".com", "http://", "www.", "@a", "example.com ", "-", "1.2.", "/a?"])
    @pytest.mark.timeout(5)
    def test_takes_long_texts_in_time(self, unit: str) -> None:
        list(find_links((unit * 65_536)[:65_536]))


class TestExplain:
    @pytest.mark.parametrize(
        "text",
        [
            "https://example.com",
            "看 https://example.com",
            "好书看这example.com".replace("好书", ""),
            "https://example.com/a-long-path-with-many-words-inside",
            "https://a.com https://b.com https://c.com https://d.com https://e.com",
            "😀😀😀😀😀 example.com",
            "@ann @bob @cy @dan example.com",
            "1 2 3 4 5 example.com",
            "!!!! ，，，， example.com",
        ],
    )
    def test_a_bare_link_is_flagged(self, text: str) -> None:
        assert examine(text).verdict is Verdict.FLAG

    @pytest.mark.parametrize(
        "text",
        [
            "本周读书笔记https://example.com/notes",
            "https://example.com这是本周笔记",
            "our reading notes of this week: https://example.com",
            "notes 第三章 https://example.com",
        ],
    )
    def test_a_link_with_a_sentence_passes(self, text: str) -> None:
        assert examine(text).reason == "The link comes with words that say what it is."

    def test_the_sentence_is_as_long_as_the_rule_wants(self) -> None:
        text = "本周笔记 https://example.com"
        assert [examine(text, min_words=count).verdict for count in (4, 5)] == [Verdict.PASS, Verdict.FLAG]

    def test_the_link_is_quoted_as_written(self) -> None:
        assert examine("看ＥＸＡＭＰＬＥ．com/a。").evidence == "ＥＸＡＭＰＬＥ．com/a"

    def test_the_quotation_is_cut(self) -> None:
        assert len(examine("https://example.com/" + "a" * 60_000).evidence) == 256

    def test_a_link_card_without_words_is_bare(self) -> None:
        assert examine("", ContentKind.LINK).verdict is Verdict.FLAG

    def test_a_link_card_with_a_sentence_passes(self) -> None:
        assert examine("本周读书笔记", ContentKind.LINK).verdict is Verdict.PASS

    @pytest.mark.parametrize("text", ["", "hello", "Hello. And bye.", "群" * 65_536])
    def test_no_link_passes_with_a_reason(self, text: str) -> None:
        assert examine(text).reason == "The message has no link."


class TestOtherPolicies:
    def test_forbid_deletes_a_link_with_a_sentence_too(self) -> None:
        assert examine("本周读书笔记 https://example.com", policy="forbid").verdict is Verdict.DELETE

    def test_forbid_deletes_a_link_card(self) -> None:
        assert examine("本周读书笔记", ContentKind.LINK, policy="forbid").verdict is Verdict.DELETE

    def test_allow_takes_any(self) -> None:
        assert examine("https://example.com", policy="allow").reason == "This group allows links."


class TestAllowedDomains:
    @pytest.mark.parametrize("text", ["https://example.com", "https://shop.example.com/a", "EXAMPLE.com"])
    def test_need_no_sentence(self, text: str) -> None:
        assert examine(text, allow_domains=("Example.com",)).verdict is Verdict.PASS

    @pytest.mark.parametrize("text", ["https://badexample.com", "https://example.com.evil.net"])
    def test_are_not_others_that_look_like_them(self, text: str) -> None:
        assert examine(text, allow_domains=("example.com",)).verdict is Verdict.FLAG

    def test_do_not_cover_a_second_link(self) -> None:
        result = examine("example.com evil.net", policy="forbid", allow_domains=("example.com",))
        assert (result.verdict, result.evidence) == (Verdict.DELETE, "evil.net")


class TestHasWords:
    def test_counts_chinese_characters_and_other_words_alike(self) -> None:
        assert [has_words("读 book 书 now", count) for count in (4, 5)] == [True, False]
