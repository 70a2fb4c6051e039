"""The bus: NATS JetStream through FastStream's broker, with our own pull pump and atomic batches."""

from shequn.runtime.bus.connection import Bus
from shequn.runtime.bus.publisher import Outgoing, Publisher

__all__ = ["Bus", "Outgoing", "Publisher"]
