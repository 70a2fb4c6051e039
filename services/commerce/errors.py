"""What can go wrong when somebody asks for commerce.

::

    PermanentError
    ├── UnknownProductError     the community sells no such product
    ├── SoldOutError            nothing is left of it
    ├── UnknownOrderError       no payment and no refund of that id arrived
    ├── UnknownMemberError      the member's joining is not known
    ├── CodeTakenError          another member has the same referral code
    └── UnknownCommunityError   no definition applied under that name (shequn.runtime.failures)
"""

from shequn.runtime.failures import PermanentError


class UnknownProductError(PermanentError):
    """The community sells no such product."""

    def __init__(self, community: str, product: str) -> None:
        """Name both."""
        super().__init__(f"{community!r} sells no product {product!r}; its products.yaml names those it sells")


class SoldOutError(PermanentError):
    """Nothing is left of a product."""


class UnknownOrderError(PermanentError):
    """No payment and no refund of that id arrived."""

    def __init__(self, community: str, provider: str, payment_id: str) -> None:
        """Name all three."""
        super().__init__(
            f"{provider!r} has told of no payment {payment_id!r} in {community!r}; check it, or wait for its webhook"
        )


class UnknownMemberError(PermanentError):
    """The member's joining is not known."""

    def __init__(self, community: str, member_id: str) -> None:
        """Name both."""
        super().__init__(f"member {member_id!r} has not joined {community!r}; only members have a referral code")


class CodeTakenError(PermanentError):
    """Another member has the same referral code."""

    def __init__(self, community: str, member_id: str, code: str) -> None:
        """Name the member and the code."""
        super().__init__(
            f"the code {code} of member {member_id!r} in {community!r} belongs to a member registered before; "
            "attribute this member's referrals by hand"
        )
