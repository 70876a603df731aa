"""`bellwether migrate`: bring the database to the schema of this version."""

from bellwether.adapters.postgres.migrations import migrate as apply_migrations
from bellwether_cli import options, terminal


def migrate(postgres: options.Postgres = options.POSTGRES) -> None:
    """Apply all migrations that the database has not seen. Repeating it changes nothing."""
    apply_migrations(postgres)
    terminal.say("the schema is up to date")
