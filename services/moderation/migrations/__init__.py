"""The history of moderation's schema."""
