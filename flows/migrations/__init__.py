"""Migrations of the schema ``flows``."""
