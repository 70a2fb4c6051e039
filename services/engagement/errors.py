"""What can go wrong when somebody asks for engagement.

::

    PermanentError
    ├── UnknownMemberError      nothing is known of that member in the community
    └── UnknownCommunityError   no definition applied under that name (shequn.runtime.failures)
"""

from shequn.runtime.failures import PermanentError


class UnknownMemberError(PermanentError):
    """Nothing is known of the member in the community."""

    def __init__(self, community: str, member_id: str) -> None:
        """Name both."""
        super().__init__(
            f"member {member_id!r} has posted, reacted and earned nothing in {community!r}; check the member id"
        )
