"""What every process of ours runs on: bus, fold, store, failures, settings, telemetry, clock."""
