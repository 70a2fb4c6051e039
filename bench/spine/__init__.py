"""The spine's bench: chat through both chat consumers, webhooks to effects, memory."""
