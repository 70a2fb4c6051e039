"""Whether a payment buys its product."""

from services.commerce.domain import customers, pricing
from services.commerce.domain.customers import Customer
from services.commerce.domain.orders import Order
from services.commerce.domain.pricing import Allotment, Refusal, Stock
from shequn.contracts.commerce import ParkReason
from shequn.contracts.definitions.currency import Currency
from shequn.contracts.definitions.products import ProductDefinition


def decide(
    order: Order, customer: Customer, product: ProductDefinition | None, stock: Stock, currency: Currency
) -> Allotment | Refusal:
    """Allot a payment what it buys, or say why it buys nothing.

    Args:
        order: a paid order that is not accepted.
        customer: its buyer.
        product: its product's definition; none when the community has none of that name.
        stock: what is sold of the product.
        currency: what the community sells in.
    """
    if product is None:
        return _unknown(order)
    if order.currency != currency.code:
        return Refusal(ParkReason.WRONG_CURRENCY, f"{order.currency} was paid; the community sells in {currency.code}")
    decision = pricing.allot(product, stock, order.paid_minor, currency)
    is_priced = isinstance(decision, Allotment) or decision.reason == ParkReason.SOLD_OUT
    # Who may not buy is told so, sold out or not: otherwise the reason would depend on when the payment came.
    if is_priced and not customers.may_buy(customer, product):
        return Refusal(ParkReason.NOT_ELIGIBLE, f"{product.id} requires one of {', '.join(product.requires)}")
    return decision


def _unknown(order: Order) -> Refusal:
    if order.product is None:
        return Refusal(ParkReason.UNKNOWN_PRODUCT, "the provider does not tell what was bought")
    return Refusal(ParkReason.UNKNOWN_PRODUCT, f"the community has no product {order.product}")
