"""Signatures as Standard Webhooks 1.0 has them: headers ``webhook-id``, ``webhook-timestamp``, ``webhook-signature``.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md. The official package
makes the signature that is expected. Its own ``verify`` is not used: it reads the wall clock, and breaks on a list of
signatures of which one is not well-formed.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from shequn.adapters import RawRequest
from shequn.adapters.errors import MalformedError, SignatureError, StaleTimestampError
from shequn.runtime.failures import ConfigError

TOLERANCE = timedelta(minutes=5)
"""How far the sender's clock may be from ours; the specification's recommendation."""

MESSAGE_ID = "webhook-id"
_TIMESTAMP = "webhook-timestamp"
_SIGNATURE = "webhook-signature"
_SECONDS = re.compile(r"^[0-9]{1,11}$", re.ASCII)
_SCHEME = "v1"


class StandardWebhookVerifier:
    """Verifies with any of several secrets, so that they can be rotated."""

    def __init__(self, secrets: Sequence[SecretStr], channel: str) -> None:
        """Read the secrets.

        Args:
            secrets: as the provider shows them, ``whsec_`` and base64.
            channel: for the error message.

        Raises:
            ConfigError: one is not a secret; it says which, but never shows it.
        """
        self._webhooks = [_webhook(secret, channel, number) for number, secret in enumerate(secrets, 1)]

    def verify(self, request: RawRequest) -> None:
        """Check the signature over the bytes as they came.

        Raises:
            SignatureError: a header is missing, or no signature fits.
            StaleTimestampError: it was signed more than five minutes before or after it came.
            MalformedError: the body is not UTF-8.
        """
        message_id, seconds, signatures = (request.headers.get(name) for name in (MESSAGE_ID, _TIMESTAMP, _SIGNATURE))
        if not (message_id and seconds and signatures):
            raise SignatureError(f"the headers {MESSAGE_ID}, {_TIMESTAMP} and {_SIGNATURE} are needed")
        if not _SECONDS.match(seconds):
            raise SignatureError(f"{_TIMESTAMP} is not a number of seconds since 1970")
        signed_at = datetime.fromtimestamp(int(seconds), UTC)
        try:
            body = request.body.decode()
        except UnicodeDecodeError as error:
            raise MalformedError("", f"is not UTF-8 at byte {error.start}") from None
        offered = _offered(signatures)
        for webhook in self._webhooks:
            expected = _decoded(webhook.sign(message_id, signed_at, body).partition(",")[2])
            if any(hmac.compare_digest(expected, signature) for signature in offered):
                break
        else:
            raise SignatureError("no signature fits the body; check the secret on both sides")
        # After the signature, so that an age is told only to whom it concerns.
        if abs(request.received - signed_at) > TOLERANCE:
            raise StaleTimestampError(
                f"signed at {signed_at.isoformat()}, more than {TOLERANCE} from now; send it anew"
            )


def _webhook(secret: SecretStr, channel: str, number: int) -> Webhook:
    try:
        return Webhook(secret.get_secret_value())
    except (EmptyWebhookSecretError, binascii.Error, ValueError):
        # Not chained: the cause may show the secret.
        raise ConfigError(f"channel {channel!r}: secret {number} is not `whsec_` and base64") from None


def _offered(header: str) -> list[bytes]:
    """Give the signatures of our scheme; what is not one is passed over, for it may belong to a newer scheme."""
    found = []
    for versioned in header.split(" "):
        scheme, _, signature = versioned.partition(",")
        if scheme == _SCHEME and (decoded := _decoded(signature)):
            found.append(decoded)
    return found


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature)
    except (binascii.Error, ValueError):
        return b""
