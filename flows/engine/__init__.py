"""The funnel engine: pure functions from facts and a moment to the next state and its effects.

Nothing here reads a clock or does I/O, so the same code runs live, in waves, in rehearsals and in tests.
"""
