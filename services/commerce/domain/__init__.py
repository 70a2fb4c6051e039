"""The rules of commerce: pure, exact, independent of the order in which facts arrive."""
