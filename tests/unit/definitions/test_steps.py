"""What the sugar of a funnel compiles to."""

from datetime import timedelta
from typing import Any

import pytest

from shequn.contracts.definitions.conditions import Trigger
from shequn.contracts.definitions.funnel import BranchStep, FunnelDefinition, OfferStep, WaitUntilStep

from .conftest import Workshop

END = "  - {id: end, exit: done}\n"


def compiled(folder: Workshop, steps: str) -> FunnelDefinition:
    return folder.steps(steps + END).load().definition.funnels[0]


def chain(funnel: FunnelDefinition) -> list[tuple[str, str, str | None]]:
    return [(step.id, step.kind, step.next) for step in funnel.steps]


class TestOneItem:
    @pytest.mark.parametrize(
        ("item", "kind"),
        [
            ("send: welcome", "send"),
            ("wait: 2d", "wait"),
            ("wait: {until: order.paid, at_most: 2d}", "wait_until"),
            ("{offer: bag, expires: 2d}", "offer"),
            ("tag: friend", "tag"),
            ("goal: friend", "goal"),
        ],
    )
    def test_becomes_one_step_that_leads_to_the_next_item(self, folder: Workshop, item: str, kind: str) -> None:
        assert chain(compiled(folder, f"  - {item}\n"))[0] == ("step-1", kind, "end")

    def test_knows_its_line(self, folder: Workshop) -> None:
        assert [step.line for step in compiled(folder, "  - tag: a\n  - wait: 2d\n").steps] == [6, 7, 8]

    def test_without_an_id_is_called_by_its_position(self, folder: Workshop) -> None:
        names = [step.id for step in compiled(folder, "  - {id: first, tag: a}\n  - tag: b\n").steps]
        assert names == ["first", "step-2", "end"]

    def test_at_the_end_completes_the_funnel(self, folder: Workshop) -> None:
        steps = folder.steps("  - tag: a\n").load().definition.funnels[0].steps
        assert steps[0].next is None


class TestACombination:
    def test_becomes_steps_in_a_fixed_order_whatever_order_they_are_written_in(self, folder: Workshop) -> None:
        funnel = compiled(folder, "  - {id: all, wait: 1d, send: welcome, goal: g, tag: t}\n")
        assert chain(funnel)[:4] == [
            ("all", "tag", "all-goal"),
            ("all-goal", "goal", "all-send"),
            ("all-send", "send", "all-wait"),
            ("all-wait", "wait", "end"),
        ]

    def test_of_send_and_exit_ends_after_the_message(self, folder: Workshop) -> None:
        funnel = folder.steps("  - {id: bye, send: welcome, exit: gone}\n").load().definition.funnels[0]
        assert chain(funnel) == [("bye", "send", "bye-exit"), ("bye-exit", "exit", None)]

    def test_of_wait_and_go_goes_there_after_the_wait(self, folder: Workshop) -> None:
        funnel = folder.steps("  - {id: a, send: welcome}\n  - {wait: 1d, go: a}\n").load().definition.funnels[0]
        assert chain(funnel)[1] == ("step-2", "wait", "a")

    def test_has_its_stage_on_its_first_step(self, folder: Workshop) -> None:
        funnel = compiled(folder, "  - {stage: free, tag: a, send: welcome}\n")
        assert [step.stage for step in funnel.steps] == ["free", None, None]


class TestGo:
    def test_alone_stands_for_the_item_it_names(self, folder: Workshop) -> None:
        funnel = compiled(folder, "  - {tag: a, go: jump}\n  - {id: jump, go: end}\n")
        assert funnel.steps[0].next == "end"

    def test_may_name_an_item_by_its_position(self, folder: Workshop) -> None:
        funnel = compiled(folder, "  - {tag: a, go: step-2}\n  - tag: b\n")
        assert funnel.steps[0].next == "step-2"


class TestWhen:
    def test_with_an_offer_is_the_condition_of_the_offer(self, folder: Workshop) -> None:
        funnel = compiled(folder, '  - {offer: bag, expires: 2d, when: {contribution: ">= 20"}}\n')
        offer = funnel.steps[0]
        assert isinstance(offer, OfferStep)
        assert [(c.fact, c.operator, c.value) for c in offer.when.all_of] == [("contribution", ">=", 20.0)]

    def test_with_anything_else_is_a_branch_around_the_item(self, folder: Workshop) -> None:
        funnel = compiled(folder, "  - {id: thanks, when: {posted: true}, send: welcome}\n")
        branch = funnel.steps[0]
        assert isinstance(branch, BranchStep)
        assert (branch.id, branch.cases[0].go, branch.next) == ("thanks", "thanks-send", "end")

    def test_keeps_the_stage_from_who_does_not_fulfil_it(self, folder: Workshop) -> None:
        funnel = compiled(folder, "  - {when: {posted: true}, stage: free, offer: bag, expires: 1d}\n")
        assert [(step.kind, step.stage) for step in funnel.steps[:2]] == [("branch", None), ("offer", "free")]


class TestWaitUntil:
    def wait(self, folder: Workshop, until: str) -> WaitUntilStep:
        step = compiled(folder, f"  - wait: {{until: {until}, at_most: 3d, timeout: end}}\n").steps[0]
        assert isinstance(step, WaitUntilStep)
        return step

    def test_names_an_event(self, folder: Workshop) -> None:
        assert self.wait(folder, "engagement.first_reply").until == (Trigger(on="engagement.first_reply"),)

    def test_names_an_event_and_its_product(self, folder: Workshop) -> None:
        assert self.wait(folder, "order.paid bag").until == (Trigger(on="order.paid", product="bag"),)

    def test_takes_the_long_form(self, folder: Workshop) -> None:
        assert self.wait(folder, "{on: order.paid, rung: low}").until == (Trigger(on="order.paid", rung="low"),)

    def test_takes_a_list(self, folder: Workshop) -> None:
        triggers = self.wait(folder, "[order.paid bag, {on: order.refunded, product: bag}]").until
        assert [(trigger.on, trigger.product) for trigger in triggers] == [
            ("order.paid", "bag"),
            ("order.refunded", "bag"),
        ]

    def test_takes_conditions(self, folder: Workshop) -> None:
        step = self.wait(folder, '{orders_paid: ">= 2", bought: bag}')
        assert step.conditions is not None
        assert [(c.fact, c.operator, c.value) for c in step.conditions.all_of] == [
            ("orders_paid", ">=", 2.0),
            ("bought", "contains", ("bag",)),
        ]

    def test_takes_events_and_conditions_together(self, folder: Workshop) -> None:
        step = self.wait(folder, "[order.paid, {tier: high}]")
        assert (len(step.until), step.conditions is not None) == (1, True)

    def test_has_a_limit_and_a_way_out(self, folder: Workshop) -> None:
        step = self.wait(folder, "order.paid")
        assert (step.at_most, step.timeout) == (timedelta(days=3), "end")

    def test_without_a_limit_is_told(self, folder: Workshop) -> None:
        folder.steps("  - wait: {until: order.paid}\n")
        assert ("funnels/growth.yaml", 6, "steps[0].wait") in {(n.file, n.line, n.field) for n in folder.notices()}


class TestConditions:
    @pytest.mark.parametrize(
        ("written", "operator", "value"),
        [
            ("tier: high", "in", ("high",)),
            ("tier: [high, middle]", "in", ("high", "middle")),
            ("language: en", "in", ("en",)),
            ("channel: [qr-1, qr-2]", "in", ("qr-1", "qr-2")),
            ("contribution: '>= 20'", ">=", 20.0),
            ("spent: '<9.9'", "<", 9.9),
            ("orders_paid: 2", "==", 2.0),
            ("days_since_joined: '> 3'", ">", 3.0),
            ("bought: bag", "contains", ("bag",)),
            ("tags: [a, b]", "contains", ("a", "b")),
            ("posted: true", "==", True),
            ("replied: no", "==", False),
        ],
    )
    def test_compile(self, folder: Workshop, written: Any, operator: str, value: Any) -> None:
        branch = compiled(folder, f"  - branch: [{{if: {{{written}}}, go: end}}]\n  - tag: a\n").steps[0]
        assert isinstance(branch, BranchStep)
        condition = branch.cases[0].any_of[0].all_of[0]
        assert (condition.fact, condition.operator, condition.value) == (written.split(":")[0], operator, value)

    def test_offer_every_fact_of_the_contract(self) -> None:
        from shequn.contracts.definitions.conditions import Fact
        from shequn.definitions.surface.conditions import ConditionsSurface

        assert set(ConditionsSurface.model_fields) == {fact.value for fact in Fact}


class TestBranch:
    def test_goes_where_its_arms_say(self, folder: Workshop) -> None:
        funnel = compiled(
            folder,
            "  - branch:\n      - if: {posted: true}\n        go: end\n      - else: {send: welcome, then: end}\n",
        )
        assert chain(funnel)[:2] == [("step-1", "branch", "step-1-else-send"), ("step-1-else-send", "send", "end")]

    def test_without_else_goes_on(self, folder: Workshop) -> None:
        funnel = compiled(folder, "  - branch: [{if: {posted: true}, go: end}]\n  - tag: a\n")
        assert funnel.steps[0].next == "step-2"

    def test_arm_may_act_on_the_spot(self, folder: Workshop) -> None:
        funnel = compiled(folder, "  - branch: [{if: {posted: true}, tag: a, send: welcome}]\n  - tag: b\n")
        assert chain(funnel)[1:3] == [
            ("step-1-case-1-tag", "tag", "step-1-case-1-send"),
            ("step-1-case-1-send", "send", "step-2"),
        ]

    def test_arm_may_end_the_way(self, folder: Workshop) -> None:
        funnel = compiled(folder, "  - branch: [{if: {posted: true}, exit: talker}]\n  - tag: b\n")
        assert chain(funnel)[1] == ("step-1-case-1-exit", "exit", None)

    def test_arm_with_a_list_wants_any_of_it(self, folder: Workshop) -> None:
        branch = compiled(folder, "  - branch: [{if: [{posted: true}, {tier: high}], go: end}]\n  - tag: a\n").steps[0]
        assert isinstance(branch, BranchStep)
        assert len(branch.cases[0].any_of) == 2

    def test_as_first_item_is_the_first_step(self, folder: Workshop) -> None:
        funnel = compiled(folder, "  - branch: [{if: {posted: true}, send: welcome}, {else: {go: end}}]\n")
        assert funnel.steps[0].id == "step-1"


class TestTheHead:
    def head(self, folder: Workshop, text: str) -> FunnelDefinition:
        return folder.replace("funnels/growth.yaml", "enter: member.joined\n", text).load().definition.funnels[0]

    @pytest.mark.parametrize(
        ("written", "expected"), [("never", "never"), ("always", "always"), ("30d", timedelta(days=30))]
    )
    def test_says_whether_members_enter_again(self, folder: Workshop, written: Any, expected: Any) -> None:
        funnel = self.head(folder, f"enter: {{on: member.joined, re_enter: {written}}}\n")
        assert funnel.re_enter == expected

    def test_may_want_a_product_to_enter(self, folder: Workshop) -> None:
        funnel = self.head(folder, "enter: {on: order.paid, product: bag}\n")
        assert funnel.enter == Trigger(on="order.paid", product="bag")

    @pytest.mark.parametrize("written", ["member.left", "[member.left]", "[{on: member.left}]"])
    def test_names_exits_in_any_form(self, folder: Workshop, written: Any) -> None:
        assert self.head(folder, f"enter: member.joined\nexit: {written}\n").exits == (Trigger(on="member.left"),)

    def test_has_guards(self, folder: Workshop) -> None:
        guards = self.head(
            folder,
            "enter: member.joined\n"
            'guards: {quiet: "22:00-08:00", at_most: {per_day: 1}, when_blocked: drop, consent: mail}\n',
        ).guards
        assert guards.quiet is not None
        assert (guards.quiet.start.hour, guards.quiet.end.hour) == (22, 8)
        assert (guards.at_most.per_day, guards.at_most.per_week) == (1, None)
        assert (guards.when_blocked, guards.consent) == ("drop", "mail")

    def test_has_a_goal_with_a_window(self, folder: Workshop) -> None:
        goal = self.head(folder, "enter: member.joined\ngoal: {on: order.paid, product: box, within: 90d}\n").goal
        assert goal is not None
        assert (goal.trigger, goal.within) == (Trigger(on="order.paid", product="box"), timedelta(days=90))

    def test_has_stages_in_order_with_names(self, folder: Workshop) -> None:
        stages = self.head(folder, "enter: member.joined\n").stages
        assert [(stage.id, stage.name.zh, stage.name.en) for stage in stages] == [("free", "免费", "Free")]
