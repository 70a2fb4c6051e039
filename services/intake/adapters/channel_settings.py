"""Settings that channels share."""

from typing import Annotated

from pydantic import Field, SecretStr

from shequn.adapters import AdapterSettings, Label
from shequn.contracts.base import Slug

COMMUNITY = Label(zh="社群", en="Community")
SECRETS = Label(zh="签名密钥(轮换时可填多个)", en="Signing secrets; several while they are rotated")

Secrets = Annotated[tuple[SecretStr, ...], Field(min_length=1), SECRETS]


class ChannelSettings(AdapterSettings):
    """A signed channel of one community.

    Attributes:
        community: the community its events belong to.
        secrets: any of them may sign.
    """

    community: Annotated[Slug, COMMUNITY]
    secrets: Secrets
