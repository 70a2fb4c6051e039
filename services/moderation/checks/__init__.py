"""The checks, one file each. Every check answers with verdict and reason, also when a message passes."""

from services.moderation.checks.base import Check, CheckContext, Message
from services.moderation.checks.flood import FloodCheck
from services.moderation.checks.links import LinkCheck
from services.moderation.checks.words import WordCheck

__all__ = ["Check", "CheckContext", "FloodCheck", "LinkCheck", "Message", "WordCheck"]
