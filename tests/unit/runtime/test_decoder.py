"""From messages to events."""

from unittest.mock import NonCallableMock

import pytest
from nats.aio.msg import Msg

from shequn.runtime.fold.decoder import deliveries_of

SHORT = "$JS.ACK.CHAT.moderation-chat.3.1042.1040.1767225600000000000.17"
LONG = "$JS.ACK.hub.ABCDEF.CHAT.moderation-chat.3.1042.1040.1767225600000000000.17.random"


class TestDeliveries:
    @pytest.mark.parametrize("reply", [SHORT, LONG, LONG.removesuffix(".random")])
    def test_are_read_from_the_reply_as_the_client_library_does(self, reply: str) -> None:
        message = Msg(NonCallableMock(), "chat.message.posted.v1", reply)
        assert deliveries_of(message) == message.metadata.num_delivered == 3
