"""Text as moderation reads it."""
