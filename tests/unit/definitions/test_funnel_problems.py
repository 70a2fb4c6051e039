"""Mistakes in funnels, and what the linter finds."""

import pytest

from .conftest import Workshop

HEAD = [
    ("funnel: growth\n", "", 1, "funnel", "is missing"),
    ("enter: member.joined", "enter: member.came", 2, "enter", "unknown event 'member.came'"),
    ("enter: member.joined", "enter: {on: order.paid, product: bug}", 2, "enter", "no product 'bug'"),
    ("enter: member.joined", "enter: {on: member.joined, product: bag}", 2, "enter", "member.joined has no product"),
    ("enter: member.joined", "enter: {on: member.joined, rung: low}", 2, "enter", "member.joined has no rung"),
    ("enter: member.joined", "enter: member.joined now please", 2, "enter", "is not an event"),
    ("enter: member.joined", "enter: {segment: lurkers}", 2, "enter.segment", "entry by segment is not supported yet"),
    (
        "enter: member.joined",
        "enter: {on: member.joined, re_enter: soon}",
        2,
        "enter.re_enter",
        "'soon' is not a length",
    ),
    ("enter: member.joined", "subject: group\nenter: member.joined", 2, "subject", "not supported yet"),
    ("enter: member.joined", "exit: [member.gone]\nenter: member.joined", 2, "exit[0]", "unknown event 'member.gone'"),
    (
        "enter: member.joined",
        "goal: {on: order.payd}\nenter: member.joined",
        2,
        "goal.on",
        "unknown event 'order.payd'",
    ),
    (
        "enter: member.joined",
        "guards: {quiet: night}\nenter: member.joined",
        2,
        "guards.quiet",
        "is not a clock window",
    ),
    (
        "enter: member.joined",
        "guards: {at_most: {a_day: 1}}\nenter: member.joined",
        2,
        "guards.at_most.a_day",
        "unknown field",
    ),
    ("id: free, name", "id: free, namee", 4, "stages[0].namee", "unknown field 'namee'"),
    ("name: {zh: 免费, en: Free}", "name: Free", 4, "stages[0].name", "is written in one language only"),
]

STEPS = [
    ("{send: welcom}", "send", "no message 'welcom'"),
    ("{sent: welcome}", "sent", "unknown field 'sent'"),
    ("send welcome", "", "should be a block of fields, not 'send welcome'"),
    ("{id: A, tag: a}", "id", "'A' is not a name"),
    ("{stage: fre, tag: a}", "stage", "no stage 'fre'"),
    ("{id: x}", "", "does nothing"),
    ("{tag: a, go: nowhere}", "go", "no step 'nowhere'"),
    ("{tag: a, go: end, exit: x}", "go", "stands beside `exit`"),
    ("{stage: free, go: end}", "go", "cannot stand alone"),
    ("{offer: bug, expires: 1d}", "offer", "no product 'bug'"),
    ("{offer: bag}", "offer", "has no end"),
    ("{offer: bag, expires: 1d, message: nope}", "message", "no message 'nope'"),
    ("{send: welcome, expires: 1d}", "expires", "belongs to an offer"),
    ("{wait: soon}", "wait", "'soon' is not a length of time"),
    ("{wait: 0d}", "wait", "is not between 1s and 100 years"),
    ("{wait: 99999999y}", "wait", "is longer than 100 years"),
    ("{wait: {until: order.paid bug, at_most: 1d}}", "wait.until", "no product 'bug'"),
    ("{wait: {until: [order.paid, order.lost], at_most: 1d}}", "wait.until[1]", "unknown event 'order.lost'"),
    ("{wait: {until: {on: order.lost}, at_most: 1d}}", "wait.until.on", "unknown event 'order.lost'"),
    ("{wait: {until: {ordrs: 1}, at_most: 1d}}", "wait.until.ordrs", "unknown fact 'ordrs'"),
    ("{wait: {until: {}, at_most: 1d}}", "wait.until", "has no condition"),
    ("{wait: {until: [{posted: true}, {tier: low}], at_most: 1d}}", "wait.until[1]", "is a second set of conditions"),
    ("{wait: {until: [], at_most: 1d}}", "wait.until", "at least 1 item"),
    ("{wait: {at_most: 1d}}", "wait.until", "is missing"),
    ("{wait: {until: order.paid, timeout: end}}", "wait.timeout", "can never happen"),
    ("{wait: {until: order.paid, at_most: 1d, timeout: nope}}", "wait.timeout", "no step 'nope'"),
    ('{wait: {at: "20:00"}}', "wait.at", "waiting for a clock time is not supported yet"),
    ("{tag: a, when: {contribution: lots}}", "when.contribution", "'lots' is not a comparison"),
    ("{tag: a, when: {tier: [top]}}", "when.tier[0]", "'top' is not one of high, middle, low, inactive"),
    ("{tag: a, when: {bought: bug}}", "when.bought", "no product 'bug'"),
    ("{tag: a, when: {posted: perhaps}}", "when.posted", "should be true or false"),
    ("{branch: []}", "branch", "at least 1 item"),
    ("{branch: [{go: end}]}", "branch[0]", "should have either `if` or `else`"),
    ("{branch: [{else: {go: end}}, {if: {posted: true}, go: end}]}", "branch[0]", "`else` is not the last arm"),
    ("{branch: [{else: {go: end}, send: welcome}]}", "branch[0]", "`else` has fields beside it"),
    ("{branch: [{if: {posted: true}, go: nope}]}", "branch[0].go", "no step 'nope'"),
    ("{branch: [{if: {posted: true}, then: end, go: end}]}", "branch[0]", "has both `then` and `go`"),
    ("{branch: [{if: {posted: true}, exit: x, go: end}]}", "branch[0]", "both ends and goes on"),
    ("{branch: [{if: {postd: true}, go: end}]}", "branch[0].if.postd", "unknown fact 'postd'"),
    ("{branch: [{if: {posted: true}, send: nope, go: end}]}", "branch[0].send", "no message 'nope'"),
    (
        "{experiment: {name: a, arms: {x: 50, y: 50}}, x: {send: welcome}}",
        "experiment",
        "`experiment` is not supported yet",
    ),
    ("{human: {task: call}}", "human", "`human` is not supported yet"),
    ("{webhook: 'https://example.org'}", "webhook", "`webhook` is not supported yet"),
    ("{points: 5}", "points", "`points` is not supported yet"),
    ("{admit: hall}", "admit", "`admit` is not supported yet"),
]


class TestTheHead:
    @pytest.mark.parametrize(("old", "new", "line", "field", "message"), HEAD)
    def test_mistake(self, folder: Workshop, old: str, new: str, line: int, field: str, message: str) -> None:
        problems = folder.replace("funnels/growth.yaml", old, new).problems()
        found = next((p for p in problems if (p.file, p.line, p.field) == ("funnels/growth.yaml", line, field)), None)
        assert found is not None, "\n".join(map(str, problems))
        assert message in found.message

    def test_defined_in_two_files(self, folder: Workshop) -> None:
        text = (folder.path / "funnels/growth.yaml").read_text(encoding="utf-8")
        found = folder.write("funnels/twin.yaml", text).problem()
        assert (found.file, found.line, found.field) == ("funnels/twin.yaml", 1, "funnel")

    def test_stage_defined_twice(self, folder: Workshop) -> None:
        stage = "  - {id: free, name: {zh: 免费, en: Free}}\n"
        found = folder.replace("funnels/growth.yaml", stage, stage * 2).problem()
        assert (found.line, found.field) == (5, "stages[1].id")

    def test_without_steps(self, folder: Workshop) -> None:
        found = folder.steps("").problem()
        assert (found.line, found.field) == (5, "steps")


class TestAStep:
    @pytest.mark.parametrize(("item", "field", "message"), STEPS)
    def test_mistake(self, folder: Workshop, item: str, field: str, message: str) -> None:
        problems = folder.steps(f"  - tag: start\n  - {item}\n  - {{id: end, exit: done}}\n").problems()
        place = "steps[1]" + (f".{field}" if field else "")
        found = next((p for p in problems if (p.file, p.line, p.field) == ("funnels/growth.yaml", 7, place)), None)
        assert found is not None, "\n".join(map(str, problems))
        assert message in found.message

    def test_refused_kind_is_its_only_problem(self, folder: Workshop) -> None:
        folder.steps(
            "  - {experiment: {arms: {x: 50, y: 50}}, x: {send: welcome}, y: {send: welcome}}\n  - send: welcome\n"
        )
        assert folder.problem().field == "steps[0].experiment"

    def test_defined_twice(self, folder: Workshop) -> None:
        found = folder.steps("  - {id: a, send: welcome}\n  - {id: a, tag: x}\n").problem()
        assert (found.line, found.field, found.hint) == (7, "steps[1].id", "the first is on line 6; rename one")

    def test_called_like_another_ones_position(self, folder: Workshop) -> None:
        found = folder.steps("  - {id: step-2, send: welcome}\n  - tag: x\n").problems()[0]
        assert "step 'step-2' is defined twice" in found.message

    def test_called_like_a_part_of_another_one(self, folder: Workshop) -> None:
        found = folder.steps("  - {id: a, tag: x, send: welcome}\n  - {id: a-send, tag: x}\n").problem()
        assert (found.line, found.message) == (7, "two steps are called 'a-send'")

    def test_over_several_lines_is_pinned_to_the_line_of_the_field(self, folder: Workshop) -> None:
        folder.steps("  - id: a\n    tag: x\n    send: nope\n")
        assert [(p.line, p.field) for p in folder.problems()] == [(8, "steps[0].send")]


class TestReachability:
    def test_step_after_an_exit(self, folder: Workshop) -> None:
        found = folder.steps("  - {send: welcome, exit: done}\n  - {id: lost, tag: a}\n").problem()
        assert (found.line, found.field, found.message) == (7, "steps[1]", "no way leads to step 'lost'")

    def test_steps_that_only_lead_to_each_other(self, folder: Workshop) -> None:
        folder.steps("  - {send: welcome, exit: done}\n  - {id: a, wait: 1d, go: b}\n  - {id: b, wait: 1d, go: a}\n")
        assert [found.line for found in folder.problems()] == [7, 8]

    def test_step_reached_by_timeout_alone(self, folder: Workshop) -> None:
        folder.steps(
            "  - wait: {until: order.paid, at_most: 1d, timeout: b}\n"
            "  - {send: welcome, exit: x}\n  - {id: b, exit: y}\n"
        )
        assert len(folder.load().definition.funnels[0].steps) == 4

    def test_first_item_that_only_goes_elsewhere(self, folder: Workshop) -> None:
        found = folder.steps(
            "  - {id: a, go: b}\n  - {id: c, send: welcome, go: b}\n  - {id: b, exit: y}\n"
        ).problems()[0]
        assert (found.line, found.message) == (6, "does nothing, but members enter here")

    def test_items_that_only_go_to_each_other(self, folder: Workshop) -> None:
        problems = folder.steps("  - {send: welcome, go: a}\n  - {id: a, go: b}\n  - {id: b, go: a}\n").problems()
        assert {found.message for found in problems} == {"step 'a' leads nowhere", "step 'b' leads nowhere"}


class TestLoops:
    @pytest.mark.parametrize(
        "steps",
        [
            "  - {id: a, send: welcome, go: a}\n",
            "  - {id: a, send: welcome}\n  - {tag: x, go: a}\n",
            "  - {id: a, send: welcome}\n  - branch: [{if: {posted: true}, go: a}]\n  - exit: x\n",
            "  - {id: a, wait: {until: {posted: true}, at_most: 1d}, go: a}\n",
        ],
    )
    def test_that_never_wait_are_refused(self, folder: Workshop, steps: str) -> None:
        problems = folder.steps(steps).problems()
        assert [(found.line, found.field) for found in problems if "never waits" in found.message] == [(6, "steps[0]")]

    @pytest.mark.parametrize(
        "steps",
        [
            "  - {id: a, send: welcome}\n  - {wait: 14d, go: a}\n",
            "  - {id: a, send: welcome}\n  - {wait: {until: order.paid, at_most: 1d}, go: a}\n",
            "  - {id: a, send: welcome}\n  - {wait: {until: {posted: true}, at_most: 1d, timeout: a}}\n",
        ],
    )
    def test_that_wait_are_allowed(self, folder: Workshop, steps: str) -> None:
        assert folder.steps(steps).load().definition.funnels[0].steps

    def test_are_each_reported_once(self, folder: Workshop) -> None:
        steps = "  - branch: [{if: {posted: true}, go: a}]\n  - {send: welcome, go: b}\n"
        loops = "  - {id: a, tag: x, go: a}\n  - {id: b, tag: y, go: b}\n"
        assert [found.line for found in folder.steps(steps + loops).problems()] == [8, 9]

    def test_of_thousands_of_steps_are_found_at_once(self, folder: Workshop) -> None:
        steps = "".join(f"  - {{id: s{n}, tag: x}}\n" for n in range(498)) + "  - {send: welcome, go: s0}\n"
        assert "never waits" in folder.steps(steps).problem().message

    def test_funnel_that_nobody_can_read_any_more(self, folder: Workshop) -> None:
        found = folder.steps("  - tag: x\n" * 501).problems()[0]
        assert found.message == "has more than 500 items"


class TestTheLadder:
    def test_offer_that_skips_a_rung(self, folder: Workshop) -> None:
        folder.replace("products.yaml", ", requires: {bought: bag}", "")
        found = folder.steps("  - send: welcome\n  - {offer: box, expires: 1d}\n").problem()
        assert (found.file, found.line, found.field) == ("funnels/growth.yaml", 7, "steps[1].offer")
        assert "'box' skips the rung low" in found.message

    def test_offer_that_may_be_bought_with_something_too_low(self, folder: Workshop) -> None:
        folder.append(
            "products.yaml",
            "  - {id: club, kind: membership, rung: high, price: 900, requires: {bought: [box, bag]}}\n",
        )
        found = folder.steps("  - send: welcome\n  - {offer: club, expires: 1d}\n").problem()
        assert "'club' skips the rung middle" in found.message

    def test_offer_whose_next_lower_rung_sells_nothing(self, folder: Workshop) -> None:
        folder.replace("products.yaml", "rung: middle", "rung: high")
        assert folder.steps("  - send: welcome\n  - {offer: box, expires: 1d}\n").load()

    def test_offer_of_the_lowest_rung_needs_nothing(self, folder: Workshop) -> None:
        assert folder.steps("  - send: welcome\n  - {offer: bag, expires: 1d}\n").load()
