"""How long a test waits for what has to come."""

PATIENCE_S = 60.0
"""Far more than a machine at the limit of its processors needs; it costs nothing where what is awaited comes."""
