"""Migrations of the schema ``commerce``."""
