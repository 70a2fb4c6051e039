"""Migrations of the schema ``engagement``."""
