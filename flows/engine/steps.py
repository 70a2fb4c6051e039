"""What each kind of step does when a member arrives, and when a member who waits there is looked at again."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flows.engine.conditions import explain, holds, next_change
from flows.engine.effects import Offer, Outcome, Send, Tagged
from flows.engine.guards import Blocked, check_send
from flows.engine.occurrences import first_since
from flows.engine.run import Run
from shequn.contracts.definitions.funnel import (
    BranchStep,
    ExitStep,
    GoalStep,
    OfferStep,
    SendStep,
    Step,
    TagStep,
    WaitStep,
    WaitUntilStep,
)


def begin(run: Run, step: Step) -> None:
    """Do the step that the member just arrived at."""
    run.arrive(step)
    _BEGIN[step.kind](run, step)


def look_again(run: Run, step: Step) -> None:
    """Look again at a member who waits at the step: time has passed, or facts have changed."""
    again = _AGAIN.get(step.kind)
    if again is not None:
        again(run, step)


def _begin_send(run: Run, step: SendStep) -> None:
    block = check_send(run.definition.guards, run.facts, run.enrollment.sends, run.now, run.timezone)
    if block is not None and _hold_back(run, block):
        return
    if block is None:
        run.emit(Send(step.id, run.visit, step.message))
        run.remember_send()
        run.decide(Outcome.SENT, f"message {step.message!r}; no guard holds it back")
    run.go(step.next)


def _begin_offer(run: Run, step: OfferStep) -> None:
    finding = explain(step.when, run.facts, run.now, run.currency)
    if not finding.holds:
        run.decide(Outcome.SKIPPED, f"no offer of {step.product!r}: {finding.why}")
        run.go(step.next)
        return
    block = None
    if step.message is not None:
        block = check_send(run.definition.guards, run.facts, run.enrollment.sends, run.now, run.timezone)
        if block is not None and _hold_back(run, block):
            return
    _offer(run, step, finding.why, told=step.message is not None and block is None)
    run.go(step.next)


def _offer(run: Run, step: OfferStep, why: str, *, told: bool) -> None:
    expires = run.now + step.expires
    run.emit(Offer(step.id, run.visit, step.product, expires))
    run.enrollment = run.enrollment.having(offers={**run.enrollment.offers, step.product: expires})
    run.decide(Outcome.OFFERED, f"{step.product!r} until {expires.isoformat()}: {why}")
    if told and step.message is not None:
        run.emit(Send(step.id, run.visit, step.message, step.product, expires))
        run.remember_send()
        run.decide(Outcome.SENT, f"message {step.message!r}; no guard holds it back")


def _hold_back(run: Run, block: Blocked) -> bool:
    """Record what a guard says. True: the member waits here. False: the send is dropped."""
    # No waiting brings a consent that was not given.
    if block.reason == "consent" or run.definition.guards.when_blocked == "drop":
        run.decide(Outcome.SUPPRESSED, block.why, block.reason)
        return False
    until = "until more is known" if block.until is None else f"until {block.until.isoformat()}"
    run.decide(Outcome.DELAYED, f"{block.why}; delayed {until}", block.reason)
    run.wait(block.until)
    return True


def _retry_send(run: Run, step: Any) -> None:
    due_at = run.enrollment.due_at
    # Without a due time it waits for the member's joining.
    if run.facts.profile.known if due_at is None else run.now >= due_at:
        _BEGIN[step.kind](run, step)


def _begin_wait(run: Run, step: WaitStep) -> None:
    due_at = run.now + step.duration
    run.decide(Outcome.WAITING, f"until {due_at.isoformat()}")
    run.wait(due_at)
    _end_wait(run, step)


def _end_wait(run: Run, step: WaitStep) -> None:
    due_at = run.enrollment.due_at
    if due_at is not None and run.now >= due_at:
        run.go(step.next)


def _begin_wait_until(run: Run, step: WaitUntilStep) -> None:
    deadline = None if step.at_most is None else run.now + step.at_most
    if _try_wait_until(run, step, deadline):
        return
    limit = "without limit" if deadline is None else f"at most until {deadline.isoformat()}"
    run.decide(Outcome.WAITING, f"for {_wanted(step)}, {limit}")
    _stay(run, step, deadline)


def _look_again_wait_until(run: Run, step: WaitUntilStep) -> None:
    deadline = run.enrollment.deadline
    if not _try_wait_until(run, step, deadline):
        _stay(run, step, deadline)


def _stay(run: Run, step: WaitUntilStep, deadline: datetime | None) -> None:
    change = None if step.conditions is None else next_change(step.conditions, run.facts, run.now)
    run.wait(min((at for at in (deadline, change) if at is not None), default=None), deadline)


def _try_wait_until(run: Run, step: WaitUntilStep, deadline: datetime | None) -> bool:
    """Move on when the wait is over, by what happened or by time."""
    used = run.enrollment.used.get(step.id, ())
    occurrence = first_since(run.facts, step.until, run.began_at, (run.enrollment.entry_mark, *used), deadline)
    if occurrence is not None:
        run.enrollment = run.enrollment.having(used={**run.enrollment.used, step.id: (*used, occurrence.mark)})
        run.decide(Outcome.MOVED_ON, f"{occurrence.mark} happened at {occurrence.at.isoformat()}")
        run.go(step.next)
    elif step.conditions is not None and holds(step.conditions, run.facts, run.now, run.currency):
        run.decide(Outcome.MOVED_ON, explain(step.conditions, run.facts, run.now, run.currency).why)
        run.go(step.next)
    elif deadline is not None and run.now >= deadline:
        run.decide(Outcome.TIMED_OUT, f"{_wanted(step)} did not happen until {deadline.isoformat()}")
        run.go(step.timeout or step.next)
    else:
        return False
    return True


def _wanted(step: WaitUntilStep) -> str:
    names = [":".join(part for part in (trigger.on, trigger.product, trigger.rung) if part) for trigger in step.until]
    if step.conditions is not None:
        names.append("conditions")
    return " or ".join(names) or "nothing"


def _begin_branch(run: Run, step: BranchStep) -> None:
    misses: list[str] = []
    for case in step.cases:
        findings = [explain(conditions, run.facts, run.now, run.currency) for conditions in case.any_of]
        hit = next((finding for finding in findings if finding.holds), None)
        if hit is not None:
            run.decide(Outcome.BRANCHED, f"to {case.go!r}: {hit.why}", case.go)
            run.go(case.go)
            return
        misses += [finding.why for finding in findings]
    run.decide(Outcome.BRANCHED, f"to {step.next or 'the end'!r}: no case holds: {'; '.join(misses)}", step.next or "")
    run.go(step.next)


def _begin_tag(run: Run, step: TagStep) -> None:
    if step.tag in run.facts.tags:
        run.decide(Outcome.SKIPPED, f"already tagged {step.tag!r}")
    else:
        run.facts = run.facts.tagged(step.tag)
        run.emit(Tagged(step.id, run.visit, step.tag))
        run.decide(Outcome.TAGGED, step.tag)
    run.go(step.next)


def _begin_goal(run: Run, step: GoalStep) -> None:
    run.reach_goal(step.goal, run.now)
    run.go(step.next)


def _begin_exit(run: Run, step: ExitStep) -> None:
    run.finish(step.reason, f"step {step.id!r} ends the way here")


_BEGIN: dict[str, Callable[[Run, Any], None]] = {
    "send": _begin_send,
    "offer": _begin_offer,
    "wait": _begin_wait,
    "wait_until": _begin_wait_until,
    "branch": _begin_branch,
    "tag": _begin_tag,
    "goal": _begin_goal,
    "exit": _begin_exit,
}

_AGAIN: dict[str, Callable[[Run, Any], None]] = {
    "send": _retry_send,
    "offer": _retry_send,
    "wait": _end_wait,
    "wait_until": _look_again_wait_until,
}
