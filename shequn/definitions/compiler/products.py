"""Compile ``products.yaml``."""

from decimal import Decimal

from shequn.contracts.commerce import Ladder
from shequn.contracts.definitions.products import ProductDefinition, SeatTier
from shequn.definitions.compiler.context import Context, report_duplicates
from shequn.definitions.scalars import to_minor
from shequn.definitions.source import Place
from shequn.definitions.surface.base import sound
from shequn.definitions.surface.products import ProductsFile, ProductSurface, SeatsSurface


def compile_products(file: ProductsFile, place: Place, context: Context) -> tuple[ProductDefinition, ...]:
    """Compile the products. ``place`` is the top of the file."""
    items = place / "products"
    context.unfixed = frozenset(item.id for _, item in sound(file.products) if item.seats or item.price == "open")
    report_duplicates("product", {position: item.id for position, item in sound(file.products)}, items)
    compiled = [_compile_product(item, items / position, context) for position, item in sound(file.products)]
    products = tuple(product for product in compiled if product is not None)
    _refuse_circles(products, file, items)
    return products


def _compile_product(item: ProductSurface, place: Place, context: Context) -> ProductDefinition | None:
    requires = item.requires.bought if item.requires else ()
    for name in requires:
        context.refer("product", name, context.products, place / "requires" / "bought")
    _check_price(item, place)
    price = _minor(item.price, place / "price", context) if isinstance(item.price, Decimal) else None
    tiers = _compile_seats(item, place, context)
    return context.build(
        ProductDefinition,
        place,
        id=item.id,
        kind=item.kind,
        rung=item.rung,
        name=context.text(item.name, place / "name"),
        price_minor=price,
        open_price=item.price == "open",
        seat_tiers=tiers,
        quantity=item.quantity,
        term=item.term,
        requires=requires,
    )


def _check_price(item: ProductSurface, place: Place) -> None:
    if item.price is None and item.seats is None:
        place.problem("has no price", "add `price:`, or `seats:` where later seats cost more")
    if item.price is not None and item.seats is not None:
        (place / "seats").problem("stands beside `price`", "keep one: seats carry their own prices")
    if item.quantity is not None and item.seats is not None:
        (place / "quantity").problem("stands beside `seats`", "remove it: the seats say how many can be sold")
    if item.price == "open" and item.rung is Ladder.FREE:
        (place / "price").problem("is open on the rung free", "set it to 0, or move the product to rung low")
    if not isinstance(item.price, Decimal):
        return
    if item.rung is Ladder.FREE and item.price > 0:
        (place / "price").problem("is above 0 on the rung free", "set it to 0, or move the product to rung low")
    if item.rung is not Ladder.FREE and item.price == 0:
        (place / "price").problem(
            f"is 0 on the rung {item.rung.value}", "set a price, or move the product to rung free"
        )


def _compile_seats(item: ProductSurface, place: Place, context: Context) -> tuple[SeatTier, ...]:
    tiers: list[SeatTier] = []
    for position, seats in sound(item.seats):
        here = place / "seats" / position
        count = _seat_count(seats, position, here)
        price = _minor(seats.price, here / "price", context)
        if count is not None and price is not None:
            tiers.append(SeatTier(seats=count, price_minor=price))
    return tuple(tiers)


def _seat_count(seats: SeatsSurface, position: int, place: Place) -> int | None:
    wanted, other = ("first", "next") if position == 0 else ("next", "first")
    count = seats.first if position == 0 else seats.next
    if count is None or (seats.first is not None and seats.next is not None):
        place.problem(f"should say `{wanted}`", f"write `{wanted}: 30` and no `{other}` in entry {position + 1}")
        return None
    return count


def _minor(amount: Decimal, place: Place, context: Context) -> int | None:
    if context.currency_digits is None:
        return None
    minor = to_minor(amount, context.currency_digits)
    if minor is None:
        place.problem(f"{amount} has more decimals than the currency has ({context.currency_digits})", "round it")
    return minor


def _refuse_circles(products: tuple[ProductDefinition, ...], file: ProductsFile, items: Place) -> None:
    """Refuse products that nobody can ever buy because all they require leads back to them."""
    obtainable: set[str] = set()
    named = {product.id for product in products}
    waiting = list(products)
    while waiting:
        # What is not among the sound products is reported elsewhere: it does not make a circle.
        ready = [p for p in waiting if not p.requires or any(r in obtainable or r not in named for r in p.requires)]
        if not ready:
            break
        obtainable.update(product.id for product in ready)
        waiting = [product for product in waiting if product.id not in obtainable]
    stuck = {product.id for product in waiting}
    for position, item in sound(file.products):
        if item.id in stuck:
            (items / position / "requires").problem(
                f"nobody can ever buy {item.id!r}: what it requires needs it first", "break the circle"
            )
