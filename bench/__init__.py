"""Benches: what the system does in a second, and how fast, measured on this machine."""
