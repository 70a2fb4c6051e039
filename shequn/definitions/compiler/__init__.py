"""From the surface to the compiled models of :mod:`shequn.contracts.definitions`, with every finding reported."""
