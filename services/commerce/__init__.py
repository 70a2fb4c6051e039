"""Commerce: orders, entitlements and commissions, each minor unit of money in a double-entry ledger."""
