"""How made-up members behave: read from a file, because every number in it is a guess somebody should see."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from shequn.runtime.failures import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]
Texts = Annotated[tuple[str, ...], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Part):
    """A step of the buying journey.

    Attributes:
        share: of those who took the step before.
        after_days: least and most days after the step before.
    """

    share: Share
    after_days: tuple[float, float]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        least, most = self.after_days
        if not 0 <= least <= most:
            raise ValueError("after_days: write the least and the most days, in this order")
        return self


class Journey(_Part):
    """The ladder of products, step by step."""

    free: Step
    low: Step
    middle: Step
    high: Step


class Behaviour(_Part):
    """A whole behaviour file. Shares lie between 0 and 1; days are days of the story."""

    members: int = Field(ge=1, le=100_000)
    join_days: float = Field(gt=0)
    days: float = Field(gt=0)
    quiet_days: float = Field(ge=0)
    language: dict[str, Share]
    channels: dict[str, Share]
    referred: Share
    talks: Share
    messages_a_day: float = Field(ge=0, le=50)
    replies: Share
    reactions: float = Field(ge=0, le=5)
    breaks_a_rule: Share
    journey: Journey
    refunded: Share
    texts: dict[str, Texts]
    answers: dict[str, Texts]
    ads: Texts

    @classmethod
    def read(cls, path: Path) -> "Behaviour":
        """Read a behaviour file.

        Raises:
            ConfigError: it is missing or wrong; the message names file and field.
        """
        try:
            return cls.model_validate(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, YAMLError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
        except ValidationError as error:
            lines = [
                f"{path}: {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
                for problem in error.errors(include_url=False, include_input=False)
            ]
            raise ConfigError("\n".join(lines)) from error
