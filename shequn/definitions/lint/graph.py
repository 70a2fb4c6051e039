"""Steps that nobody reaches, and loops that never wait."""

from collections.abc import Iterator, Mapping

from shequn.contracts.definitions.funnel import BranchStep, Step, WaitStep, WaitUntilStep
from shequn.definitions.compiler.steps import CompiledSteps
from shequn.definitions.source import Place

Edges = Mapping[str, set[str]]


def lint_graph(compiled: CompiledSteps, place: Place) -> None:
    """Report items that no way leads to, and loops without a wait. ``place`` is the list of items."""
    first = compiled.steps[0]
    if compiled.places[first.id].path != (place / 0).path:
        (place / 0).problem(
            "does nothing, but members enter here", "move the first step that does something to the top"
        )
        return
    by_id = {step.id: step for step in compiled.steps}
    reached = _reachable(first.id, by_id)
    _report_unreachable(compiled, reached)
    _report_loops(compiled, {name: by_id[name] for name in by_id if name in reached})


def _targets(step: Step) -> Iterator[str]:
    if step.next is not None:
        yield step.next
    if isinstance(step, WaitUntilStep) and step.timeout is not None:
        yield step.timeout
    if isinstance(step, BranchStep):
        yield from (case.go for case in step.cases)


def _instant_targets(step: Step) -> Iterator[str]:
    """Where a step may lead in no time.

    A wait for an event counts each event once, so it does hold up a loop; a condition that holds does not.
    """
    if isinstance(step, WaitStep):
        return
    if isinstance(step, WaitUntilStep):
        if step.conditions is not None and step.next is not None:
            yield step.next
        return
    yield from _targets(step)


def _reachable(start: str, by_id: Mapping[str, Step]) -> set[str]:
    reached, waiting = {start}, [start]
    while waiting:
        for target in _targets(by_id[waiting.pop()]):
            if target in by_id and target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached


def _report_unreachable(compiled: CompiledSteps, reached: set[str]) -> None:
    reached_items = {compiled.places[name].path for name in reached}
    for step in compiled.steps:
        place = compiled.places[step.id]
        if place.path not in reached_items:
            place.problem(f"no way leads to step {step.id!r}", "let a `go`, `then` or `timeout` name it, or remove it")
            reached_items.add(place.path)


def _report_loops(compiled: CompiledSteps, by_id: Mapping[str, Step]) -> None:
    edges = {name: {target for target in _instant_targets(step) if target in by_id} for name, step in by_id.items()}
    looping = _in_loops(edges)
    while looping:
        first = next(step.id for step in compiled.steps if step.id in looping)
        loop = _connected(first, edges, looping)
        names = " → ".join([step.id for step in compiled.steps if step.id in loop])
        compiled.places[first].problem(f"the loop {names} → {first} never waits", "put a `wait` into it")
        looping -= loop


def _in_loops(edges: Edges) -> set[str]:
    """Take away steps without a way out or without a way in, until only loops and what joins them are left."""
    left = set(edges)
    for direction in (edges, _reversed(edges)):
        count = {name: len(direction[name] & left) for name in left}
        back = _reversed(direction)
        done = [name for name in left if not count[name]]
        while done:
            name = done.pop()
            left.discard(name)
            for other in back[name] & left:
                count[other] -= 1
                if not count[other]:
                    done.append(other)
    return left


def _reversed(edges: Edges) -> dict[str, set[str]]:
    back: dict[str, set[str]] = {name: set() for name in edges}
    for name, targets in edges.items():
        for target in targets:
            back[target].add(name)
    return back


def _connected(start: str, edges: Edges, within: set[str]) -> set[str]:
    back = _reversed(edges)
    found, waiting = {start}, [start]
    while waiting:
        name = waiting.pop()
        for other in (edges[name] | back[name]) & within - found:
            found.add(other)
            waiting.append(other)
    return found
