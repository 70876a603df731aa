"""A real Kafka, a real PostgreSQL and Bellwether's services on one machine, for `bellwether up`, the demo and tests."""

from bellwether_cli.stack.errors import StackError
from bellwether_cli.stack.stack import Stack, embedded_stack

__all__ = ["Stack", "StackError", "embedded_stack"]
