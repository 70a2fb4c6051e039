"""``products.yaml``: what members can have, and at what price."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from shequn.contracts.commerce import Ladder
from shequn.contracts.definitions.products import ProductKind
from shequn.definitions.scalars import Amount, Count, Duration, Name, Names
from shequn.definitions.surface.base import Item, Surface
from shequn.definitions.surface.texts import Text


class SeatsSurface(Surface):
    """Some seats at one price. The first entry says ``first``, the others ``next``."""

    first: Count | None = Field(default=None, description="How many seats the first price is for.")
    next: Count | None = Field(default=None, description="How many further seats this price is for.")
    price: Amount = Field(description="Price of one of these seats, in major units.")


class RequiresSurface(Surface):
    """What a buyer must have before."""

    bought: Names = Field(description="A product, or several of which one is enough.")


def _kind_of_price(value: Any) -> str:
    return "<word>" if value == "open" else "<amount>"


Price = Annotated[
    Annotated[Literal["open"], Tag("<word>")] | Annotated[Amount, Tag("<amount>")], Discriminator(_kind_of_price)
]
"""An amount, or ``open``: tips, group funds, baskets that a shop adds up."""


class ProductSurface(Surface):
    """Something a member can have."""

    id: Name = Field(description="Its name in the other files.")
    kind: ProductKind = Field(description="What it is.")
    rung: Ladder = Field(description="Its place on the ladder.")
    name: Text | None = Field(default=None, description="What members read; the id when absent.")
    price: Price | None = Field(default=None, description="Price in major units; `open` lets the buyer decide.")
    seats: tuple[Item[SeatsSurface], ...] | None = Field(
        default=None, min_length=1, description="Seats in the order they are sold; the seat after the last is refused."
    )
    quantity: Count | None = Field(default=None, description="How many can be sold in all; unlimited when absent.")
    term: Duration | None = Field(default=None, description="How long it is valid; for ever when absent.")
    requires: RequiresSurface | None = Field(default=None, description="What a buyer must have before.")


class ProductsFile(Surface):
    """The products of a community."""

    REQUIRED: ClassVar[tuple[str, ...]] = ("products",)

    products: tuple[Item[ProductSurface], ...] = Field(default=(), description="The products, cheapest first.")
