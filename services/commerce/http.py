"""What people and programs may ask of commerce."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.commerce.domain import pricing
from services.commerce.domain.orders import Order
from services.commerce.domain.pricing import Price, Refusal, Stock
from services.commerce.errors import (
    CodeTakenError,
    SoldOutError,
    UnknownMemberError,
    UnknownOrderError,
    UnknownProductError,
)
from services.commerce.store import Referral
from shequn.contracts.commerce import ParkReason
from shequn.runtime.failures import AppError, TransientError, UnknownCommunityError
from shequn.runtime.fold.workspace import DefinitionBook
from shequn.runtime.problems import problem

_NOT_KNOWN = (UnknownCommunityError, UnknownProductError, UnknownOrderError, UnknownMemberError)


class Reader(Protocol):
    """Reads what is asked for. Every method raises ``TransientError`` while the store is away."""

    async def order(self, community: str, provider: str, payment_id: str) -> Order:
        """Read an order. Raises ``UnknownOrderError``."""
        ...

    async def stock(self, community: str, product: str) -> Stock:
        """Read how many seats of a product are sold."""
        ...

    async def referral(self, community: str, member_id: str) -> Referral:
        """Read a member's referral code. Raises ``UnknownMemberError`` and ``CodeTakenError``."""
        ...


def routes(reader: Reader, definitions: DefinitionBook) -> list[Route]:
    """Make the routes for quotes, orders and referral codes.

    What is not known is 404, what is sold out or taken 409, and 503 while the store is away; all with a problem body.
    """

    async def show_quote(request: Request) -> dict[str, Any]:
        community, name = request.path_params["community"], request.path_params["product"]
        definition = definitions.current(community)
        product = definition.product(name)
        if product is None:
            raise UnknownProductError(community, name)
        stock = await reader.stock(community, product.id)
        quoted = pricing.price(product, stock.sold, definition.priced_in)
        if isinstance(quoted, Refusal):
            if quoted.reason == ParkReason.SOLD_OUT:
                raise SoldOutError(quoted.detail)
            raise UnknownProductError(community, name)
        return quote(community, product.id, quoted, definition.currency)

    async def show_order(request: Request) -> dict[str, Any]:
        keys = ("community", "provider", "payment_id")
        return order(await reader.order(*(request.path_params[key] for key in keys)))

    async def show_referral(request: Request) -> dict[str, Any]:
        community = request.path_params["community"]
        definitions.current(community)
        return referral(await reader.referral(community, request.path_params["member_id"]))

    return [
        Route("/quote/{community}/{product}", answered(show_quote)),
        Route("/orders/{community}/{provider}/{payment_id}", answered(show_order)),
        Route("/members/{community}/{member_id}/referral", answered(show_referral)),
    ]


def answered(show: Callable[[Request], Awaitable[dict[str, Any]]]) -> Callable[[Request], Awaitable[Response]]:
    """Turn what is shown into a JSON response, and our errors into problem bodies."""

    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await show(request))
        except _NOT_KNOWN as error:
            return problem(404, "not known", str(error))
        except SoldOutError as error:
            return problem(409, "sold out", str(error))
        except CodeTakenError as error:
            return problem(409, "code taken", str(error))
        except TransientError as error:
            return problem(503, "try again later", str(error))
        except AppError as error:
            return problem(500, "failed", str(error))

    return answer


def quote(community: str, product: str, quoted: Price, currency: str) -> dict[str, Any]:
    """Give what the next buyer is shown. It reserves nothing."""
    return {
        "community": community,
        "product": product,
        "price": {"minor": quoted.minor, "currency": currency},
        "tier": quoted.tier + 1,
        "seat": quoted.seat,
        "explanation": quoted.explanation.model_dump(),
    }


def order(known: Order) -> dict[str, Any]:
    """Give what is shown of an order. Amounts are in minor units of ``currency``."""
    return {
        "order_id": known.order_id,
        "community": known.community,
        "provider": known.provider,
        "payment_id": known.payment_id,
        "state": known.state,
        "reason": known.reason,
        "detail": known.detail,
        "member_id": known.member_id,
        "product": known.product,
        "entitled": known.is_entitled,
        "currency": known.currency,
        "paid_minor": known.amount_minor,
        "price_minor": known.price_minor,
        "overpaid_minor": known.overpaid_minor,
        "refunded_minor": known.refunded_minor,
        "over_refunded_minor": known.over_refunded_minor,
        "paid_at": None if known.paid_at is None else known.paid_at.isoformat(),
        "tier": None if known.tier is None else known.tier + 1,
        "seat": known.seat,
        "refunds": known.refunds,
        "commission": {
            "referrer": known.referrer,
            "rate_basis_points": known.commission_rate,
            "held_minor": known.held_minor,
        },
    }


def referral(known: Referral) -> dict[str, Any]:
    """Give what is shown of a member's referrals: the code to pass on, and commissions held by currency."""
    return {
        "community": known.community,
        "member_id": known.member_id,
        "code": known.code,
        "referrer": known.referrer,
        "held_minor": known.held,
    }
