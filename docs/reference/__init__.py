"""Reference pages that code writes: ``python -m docs.reference``."""
