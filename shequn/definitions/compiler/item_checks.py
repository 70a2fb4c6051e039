"""What one item of a funnel must not combine."""

from shequn.definitions.source import Place
from shequn.definitions.surface.funnel import CaseSurface, StepSurface

DOES = ("tag", "goal", "send", "offer", "wait", "branch", "exit")
"""What an item can do, in the order in which it is done."""


def check_item(item: StepSurface, place: Place) -> None:
    """Report what is wrong with an item by itself."""
    does_something = item.go is not None or any(getattr(item, kind) is not None for kind in DOES)
    if not does_something:
        place.problem("does nothing", f"add one of {', '.join(DOES)}, go")
    elif item.go is not None and all(getattr(item, kind) is None for kind in DOES) and (item.stage or item.when):
        (place / "go").problem(
            "cannot stand alone with `stage` or `when`", "use a branch, or let the item do something"
        )
    if item.go is not None and item.exit is not None:
        (place / "go").problem("stands beside `exit`", "keep one: either go on or end here")
    if item.offer is not None and item.expires is None:
        (place / "offer").problem("has no end", "add `expires: 48h`: an offer without a deadline is a price list")
    for name in ("expires", "message"):
        if getattr(item, name) is not None and item.offer is None:
            hint = "add `offer: PRODUCT`" if name == "expires" else "write `send:` for a message without an offer"
            (place / name).problem("belongs to an offer, and there is none", hint)


def check_case(case: CaseSurface, place: Place, *, last: bool) -> None:
    """Report what is wrong with an arm of a branch; ``last`` tells whether it is the last one."""
    if (case.if_ is None) == (case.else_ is None):
        place.problem(
            "should have either `if` or `else`", "write `- if: {..}` and `go: STEP`, and `- else: {..}` at the end"
        )
    elif case.else_ is not None and not last:
        place.problem("`else` is not the last arm", "move it to the end: what comes after it is never looked at")
    elif case.else_ is not None and case.model_fields_set - {"else_"}:
        place.problem("`else` has fields beside it", "write them inside: `- else: {send: MESSAGE, then: STEP}`")
    arm = case.else_ or case
    if arm.then is not None and arm.go is not None:
        place.problem("has both `then` and `go`", "keep one: they mean the same")
    if arm.exit is not None and (arm.then or arm.go):
        place.problem("both ends and goes on", "keep `exit` or `then`")
