"""Adapters that tests load by name."""

from typing import Annotated

from pydantic import SecretStr

from shequn.adapters import Adapter, AdapterManifest, AdapterSettings, Label


class PlainSettings(AdapterSettings):
    token: Annotated[SecretStr, Label(zh="令牌", en="Token")]
    lines: Annotated[int, Label(zh="行数", en="Lines")] = 1


class PlainAdapter(Adapter[PlainSettings]):
    manifest = AdapterManifest(name="plain", title=Label(zh="简单", en="Plain"), settings=PlainSettings)


class Bare(Adapter[PlainSettings]):
    """Has no manifest."""


class Stranger:
    """Is no adapter."""
