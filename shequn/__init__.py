"""The shared kernel of shequn (社群): contracts, runtime, definitions, adapters and the local stack.

Nothing in this package knows a business rule; services and flows stand on top of it.
"""

__version__ = "0.1.0"
