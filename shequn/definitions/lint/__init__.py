"""Findings that need more than one field: reachability, loops, and the product ladder."""
