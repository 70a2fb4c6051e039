"""The surface: what operators write, as pydantic models. One module per kind of file, and two for shared parts.

Every field has a description: it reaches the JSON Schemas, and so the editors.
"""
