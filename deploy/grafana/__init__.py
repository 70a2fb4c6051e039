"""Grafana's dashboards, written by code and committed as JSON: ``python -m deploy.grafana``."""
