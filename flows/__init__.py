"""Funnels: the pure engine, the consumer that advances members on events, and what Prefect runs in batches."""
