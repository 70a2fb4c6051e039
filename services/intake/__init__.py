"""Intake: everything in, everything out. The only service that speaks with platforms."""
