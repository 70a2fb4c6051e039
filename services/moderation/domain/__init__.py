"""The rules of moderation: pure, without time, chance or input of their own."""
