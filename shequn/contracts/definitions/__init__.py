"""Definition documents in their compiled form: what `apply` stores, and every service reads.

Operators write YAML with conveniences; :mod:`shequn.definitions` turns it into these models.
"""

from shequn.contracts.definitions.community import CommunityDefinition, DefinitionApplied, GroupDefinition

__all__ = ["CommunityDefinition", "DefinitionApplied", "GroupDefinition"]
