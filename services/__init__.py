"""The services: each folds one domain. None imports another; they meet on the bus, through ``shequn.contracts``."""
