"""Moderation: judges every message against the rules of its group and takes the first rungs of the ladder."""
