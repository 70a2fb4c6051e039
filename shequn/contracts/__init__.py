"""What crosses the bus: event and command models, their subjects and streams, and definition documents.

This package imports the standard library and pydantic only, so that pure rules may use it.
"""
