"""Offers that skip a rung of the product ladder (DOMAIN §4, §5: nobody is offered a step that skips one)."""

from collections.abc import Sequence

from shequn.contracts.commerce import Ladder
from shequn.contracts.definitions.funnel import OfferStep
from shequn.contracts.definitions.products import ProductDefinition
from shequn.definitions.compiler.steps import CompiledSteps

_PAID = (Ladder.LOW, Ladder.MIDDLE, Ladder.HIGH)
"""Rungs that build on each other. What is free asks for nothing and is no condition for what costs little."""


def lint_ladder(compiled: CompiledSteps, products: Sequence[ProductDefinition]) -> None:
    """Report offers of products that can be bought without the rung below, where something is sold on it."""
    by_id = {product.id: product for product in products}
    for step in compiled.steps:
        product = by_id.get(step.product) if isinstance(step, OfferStep) else None
        below = None if product is None else _rung_below(product.rung, products)
        if product is None or below is None:
            continue
        if any(name not in by_id for name in product.requires):  # faulty or missing, and reported as such
            continue
        if product.requires and all(_reaches(by_id[name], below) for name in product.requires):
            continue
        listed = ", ".join(sorted(other.id for other in products if other.rung is below))
        (compiled.places[step.id] / "offer").problem(
            f"{product.id!r} skips the rung {below.value}: members may buy it without anything of that rung",
            f"add `requires: {{bought: ..}}` to it in products.yaml, with one of {listed}",
        )


def _rung_below(rung: Ladder, products: Sequence[ProductDefinition]) -> Ladder | None:
    if rung not in _PAID:
        return None
    lower = _PAID[: _PAID.index(rung)]
    sold = {product.rung for product in products}
    return next((candidate for candidate in reversed(lower) if candidate in sold), None)


def _reaches(product: ProductDefinition, rung: Ladder) -> bool:
    return product.rung in _PAID and _PAID.index(product.rung) >= _PAID.index(rung)
