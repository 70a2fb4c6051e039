"""Test helpers for folds and adapters, ours and third parties'."""
