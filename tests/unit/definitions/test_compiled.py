"""What community, rules, products and referral become, and what is told about it."""

from datetime import timedelta
from itertools import islice, product
from string import ascii_lowercase
from typing import Any

import pytest

from shequn.contracts.moderation import Verdict

from .conftest import Workshop

LATER_RULES = ["nickname: '{name}-{city}'", 'quiet: "23:30-06:30"', "ads: ban", "voice: forbid", "task: {weekly: note}"]
LATER_PARTS = [
    ("newcomer", "newcomer: {serial: true, red_packet: {amount: 8.80}}"),
    ("clean_up", 'clean_up: {every: quarter, idle: 60d, roll_call: "20:00", confirm_by: manager}'),
    ("rhythms", "rhythms: [{id: check-in, at: '07:30', every: day}]"),
    ("replication", "replication: {split_at: 150}"),
]


def rule_set(folder: Workshop, name: str = "open") -> Any:
    rules = folder.load().definition.rule_set(name)
    assert rules is not None
    return rules


class TestRules:
    def with_field(self, folder: Workshop, text: str) -> Any:
        return folder.replace("community.yaml", "    forbid: [bare-link, ads]", f"    {text}")

    def test_announcement_is_numbered(self, folder: Workshop) -> None:
        folder.replace("community.yaml", "en: [Talk tea]", "en: [Talk tea, Be kind]")
        assert rule_set(folder).notice.en == "1. Talk tea\n2. Be kind"

    def test_forbidden_words_carry_their_kind(self, folder: Workshop) -> None:
        words = rule_set(folder).words
        assert [(rule.category, rule.words, rule.verdict) for rule in words] == [
            ("ads", ("加微信", "buy now"), Verdict.DELETE)
        ]

    def test_forbidden_words_may_only_be_flagged(self, folder: Workshop) -> None:
        self.with_field(folder, "forbid: [{kind: ads, do: flag}]")
        assert rule_set(folder).words[0].verdict is Verdict.FLAG

    def test_word_files_add_to_the_lists(self, folder: Workshop) -> None:
        folder.write("words/ads.txt", "# ads\n\n免费领\n  buy now \n").write("words/own-kind.txt", "foo\n")
        self.with_field(folder, "forbid: [ads, own-kind]")
        assert [(rule.category, rule.words) for rule in rule_set(folder).words] == [
            ("ads", ("加微信", "buy now", "免费领")),
            ("own-kind", ("foo",)),
        ]

    def test_word_file_with_too_many_words_is_refused(self, folder: Workshop) -> None:
        many = ["".join(letters) for letters in islice(product(ascii_lowercase, repeat=4), 200_001)]
        found = folder.write("words/ads.txt", "\n".join(many)).problem()
        assert "at most 200000 items" in found.message

    def test_word_file_without_words_is_refused(self, folder: Workshop) -> None:
        found = folder.write("words/ads.txt", "# nothing\n").problem()
        assert (found.file, found.message) == ("words/ads.txt", "has no word")

    def test_word_file_that_is_not_utf8_is_refused(self, folder: Workshop) -> None:
        found = folder.write("words/ads.txt", "加微信\n".encode("gbk")).problem()
        assert (found.file, found.line) == ("words/ads.txt", 1)

    @pytest.mark.parametrize(
        ("forbid", "policy"),
        [("[ads]", "allow"), ("[bare-link, ads]", "explain"), ("[bare-link, link, ads]", "forbid")],
    )
    def test_links_are_as_strict_as_what_is_forbidden(self, folder: Workshop, forbid: str, policy: str) -> None:
        self.with_field(folder, f"forbid: {forbid}")
        assert rule_set(folder).links.policy == policy

    def test_links_may_go_to_allowed_domains(self, folder: Workshop) -> None:
        self.with_field(folder, "forbid: [bare-link, ads]\n    links: {min_words: 6, allow: [Example.org]}")
        links = rule_set(folder).links
        assert (links.min_words, links.allow_domains) == (6, ("example.org",))

    def test_flood_is_a_rate(self, folder: Workshop) -> None:
        self.with_field(folder, "forbid: [ads]\n    flood: {messages: 6, within: 10s}")
        flood = rule_set(folder).flood
        assert flood is not None
        assert (flood.count, flood.within) == (6, timedelta(seconds=10))

    def test_ladder_has_defaults(self, folder: Workshop) -> None:
        ladder = rule_set(folder).ladder
        assert (ladder.rungs, ladder.strikes_expire, ladder.appeal_hours) == (
            ("remind", "warn"),
            timedelta(days=30),
            24,
        )

    def test_last_rungs_of_the_ladder_are_told(self, folder: Workshop) -> None:
        self.with_field(folder, "forbid: [ads]\n    ladder: [remind, warn-private, penalty-public, remove]")
        assert rule_set(folder).ladder.rungs == ("remind", "warn")
        assert [(notice.line, notice.field) for notice in folder.notices() if "ladder" in notice.field] == [
            (14, "rules.open.ladder[2]"),
            (14, "rules.open.ladder[3]"),
        ]

    def test_extended_rules_hold_where_the_own_say_nothing(self, folder: Workshop) -> None:
        folder.replace("community.yaml", "words:", "  strict:\n    extends: open\n    strikes_expire: 60d\nwords:")
        strict, base = rule_set(folder, "strict"), rule_set(folder)
        assert (strict.words, strict.notice, strict.links) == (base.words, base.notice, base.links)
        assert strict.ladder.strikes_expire == timedelta(days=60)

    def test_kind_without_a_word_list_is_told(self, folder: Workshop) -> None:
        self.with_field(folder, "forbid: [ads, politics]")
        assert "no word list for politics" in "\n".join(map(str, folder.notices()))

    def test_word_list_that_nothing_forbids_is_told(self, folder: Workshop) -> None:
        self.with_field(folder, "forbid: [bare-link]")
        assert "the list 'ads' is not forbidden by any rules" in "\n".join(map(str, folder.notices()))


class TestWhatNoServiceActsOn:
    @pytest.mark.parametrize("text", LATER_RULES)
    def test_in_rules_is_kept_and_told(self, folder: Workshop, text: str) -> None:
        folder.replace("community.yaml", "languages: [zh, en]", "languages: [zh]")
        folder.replace("community.yaml", "    forbid: [bare-link, ads]", f"    forbid: [ads]\n    {text}")
        name = f"rules.open.{text.partition(':')[0]}"
        result = folder.load()
        assert name in result.definition.extras
        assert [(n.line, n.message) for n in result.notices if n.field == name] == [
            (14, "kept, but no service acts on it yet")
        ]

    @pytest.mark.parametrize(("name", "text"), LATER_PARTS)
    def test_in_the_community_is_kept_and_told(self, folder: Workshop, name: str, text: str) -> None:
        result = folder.append("community.yaml", f"{text}\n").load()
        assert name in result.definition.extras
        assert [(n.line, n.message) for n in result.notices if n.field == name] == [
            (15, "kept, but no service acts on it yet")
        ]

    def test_in_the_referral_is_kept_and_told(self, folder: Workshop) -> None:
        result = folder.append("referral.yaml", "  referee: {discount: 10%}\n  review_when: [ring, burst]\n").load()
        assert result.definition.extras["referral.review_when"] == ["ring", "burst"]
        assert [n.line for n in result.notices if n.file == "referral.yaml"] == [3, 4]

    def test_of_a_group_is_kept_and_told(self, folder: Workshop) -> None:
        result = folder.load()
        assert result.definition.extras["groups.hall.entry"] == {"all": [{"invite": "any_member"}]}
        assert [(n.line, n.field) for n in result.notices] == [(9, "groups[0].entry")]

    def test_keeps_amounts_exact(self, folder: Workshop) -> None:
        folder.append("community.yaml", "newcomer: {red_packet: {amount: 8.80, budget_per_day: 88}}\n")
        kept = folder.load().definition.extras["newcomer"]
        assert kept == {"red_packet": {"amount": "8.80", "budget_per_day": 88}}


class TestGroups:
    def test_without_entry_threshold_are_told(self, folder: Workshop) -> None:
        folder.replace("community.yaml", "kind: free, ", "kind: paid, ").replace(
            "community.yaml", ", entry: {all: [{invite: any_member}]}", ""
        )
        notice = folder.notices()[0]
        assert (notice.line, notice.field) == (9, "groups[0]")
        assert "a group that sells needs at least one" in notice.message

    def test_take_the_only_rules_there_are(self, folder: Workshop) -> None:
        folder.replace("community.yaml", ", rules: open}", "}")
        assert folder.load().definition.groups[0].rules == "open"


class TestReferral:
    def test_becomes_a_policy_with_defaults(self, folder: Workshop) -> None:
        policy = folder.load().definition.referral
        assert policy is not None
        assert (policy.rate_basis_points, policy.levels, policy.commission_on) == (2_000, 1, ("bag",))
        assert (policy.window, policy.refund_window) == (timedelta(days=30), timedelta(days=7))

    def test_of_fifty_per_cent_is_allowed(self, folder: Workshop) -> None:
        policy = folder.replace("referral.yaml", "20%", "50%").load().definition.referral
        assert policy is not None
        assert policy.rate_basis_points == 5_000

    def test_stay_belongs_to_the_community(self, folder: Workshop) -> None:
        folder.append("referral.yaml", "  stay: 7d\n")
        assert folder.load().definition.stay == timedelta(days=7)


class TestTexts:
    def test_of_a_community_with_one_language_may_stand_alone(self, folder: Workshop) -> None:
        folder.replace("community.yaml", "languages: [zh, en]", "languages: [en]")
        folder.replace("community.yaml", "name: {zh: 茶友会, en: Tea friends}", "name: Tea friends")
        assert folder.load().definition.name.en == "Tea friends"

    def test_several_messages_may_share_a_file(self, folder: Workshop) -> None:
        folder.remove("messages/welcome.yaml")
        folder.write("messages/all.yaml", "messages:\n  welcome: {zh: 你好, en: Hello}\n")
        assert folder.load().definition.messages["welcome"].zh == "你好"

    def test_message_that_nothing_sends_is_told(self, folder: Workshop) -> None:
        folder.write("messages/spare.yaml", "zh: 一\nen: one\n")
        assert ("messages/spare.yaml", "no step sends this message") in {(n.file, n.message) for n in folder.notices()}

    def test_moderation_texts_have_placeholders_of_their_own(self, folder: Workshop) -> None:
        folder.write("messages/moderation-warn.yaml", "zh: '{reason}{strikes}'\nen: '{group} {appeal_hours}'\n")
        assert all(notice.file != "messages/moderation-warn.yaml" for notice in folder.notices())

    def test_offer_texts_may_name_product_price_and_end(self, folder: Workshop) -> None:
        folder.write("messages/deal.yaml", "zh: '{product}{price}{expires}'\nen: '{product} {price} {expires}'\n")
        folder.replace("funnels/growth.yaml", "expires: 2d}", "expires: 2d, message: deal}")
        assert "deal" in folder.load().definition.messages

    def test_offer_texts_have_no_price_where_seats_have_several(self, folder: Workshop) -> None:
        folder.write("messages/deal.yaml", "zh: '{price}'\nen: '{price}'\n")
        folder.replace("funnels/growth.yaml", "expires: 2d}", "expires: 2d, message: deal}")
        found = folder.replace("products.yaml", "price: 9.90", "seats: [{first: 3, price: 5}]").problem()
        assert (found.file, found.message.partition(":")[0]) == ("messages/deal.yaml", "{price} has no value")


class TestStages:
    def test_that_no_step_reaches_are_told(self, folder: Workshop) -> None:
        folder.replace("funnels/growth.yaml", "stage: free, ", "")
        notice = next(notice for notice in folder.notices() if notice.file == "funnels/growth.yaml")
        assert (notice.line, notice.field) == (3, "stages")
