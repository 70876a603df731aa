"""The `bellwether` command. The only module of the command line that reads the environment."""

import logging
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import stamina
import typer
from typer.core import TyperGroup

from bellwether.adapters.postgres.pool import is_transient
from bellwether.domain.errors import BellwetherError
from bellwether_cli import (
    alerts,
    brands,
    campaigns,
    catalogue,
    incidents,
    keys,
    partitions,
    quarantine,
    targets,
    tenants,
    terminal,
    topics,
)
from bellwether_cli.backtest import backtest
from bellwether_cli.demo.command import demo
from bellwether_cli.drill import drill
from bellwether_cli.migrate import migrate
from bellwether_cli.rebuild import rebuild
from bellwether_cli.replay.command import replay
from bellwether_cli.stack.errors import StackError
from bellwether_cli.up import up_command

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "postgres": "BELLWETHER_POSTGRES_DSN",
        "pepper": "BELLWETHER_KEY_PEPPER",
        "kafka": "BELLWETHER_KAFKA_BOOTSTRAP",
        "ingest": "BELLWETHER_INGEST_URL",
        "api": "BELLWETHER_API_URL",
        "key": "BELLWETHER_KEY",
        "admin_key": "BELLWETHER_ADMIN_KEY",
    }
)
"""Which variable stands in for which option of every command."""

_INTERRUPTED = 130
_WORTH_TELLING = 3  # repeats, before which it may be a hiccup


class Commands(TyperGroup):
    """Says what went wrong in one line instead of a traceback, where it is a thing that can go wrong."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a refusal ends with 1, Ctrl-C with 130."""
        try:
            return super().invoke(ctx)
        except (BellwetherError, StackError) as error:
            terminal.fail(str(error))
        except BrokenPipeError:
            raise  # whoever read our output has gone: typer ends quietly
        except KeyboardInterrupt:
            sys.exit(_INTERRUPTED)
        except Exception as error:
            if not is_transient(error):
                raise
            terminal.fail(f"no answer: {str(error) or type(error).__name__}")
        raise typer.Exit(1)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Bellwether: what people say about a brand, as KPIs, while it happens.",
    pretty_exceptions_show_locals=False,  # they would show keys
)
app.command()(demo)
app.command("up")(up_command)
app.command()(migrate)
app.command()(replay)
app.command()(rebuild)
app.command()(backtest)
app.command()(drill)
app.add_typer(topics.app, name="topics")
app.add_typer(partitions.app, name="partitions")
app.add_typer(tenants.app, name="tenants")
app.add_typer(keys.app, name="keys")
app.add_typer(brands.app, name="brands")
app.add_typer(campaigns.app, name="campaigns")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(targets.app, name="targets")
app.add_typer(incidents.app, name="incidents")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(alerts.app, name="alerts")


@app.callback()
def read_environment(context: typer.Context) -> None:
    """Bellwether: what people say about a brand, as KPIs, while it happens."""
    stamina.instrumentation.set_on_retry_hooks([_tell])
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it repeats by itself, and we report what is final
    found = {name: os.environ[variable] for name, variable in ENVIRONMENT.items() if variable in os.environ}
    context.default_map = _for(context.command, found)


def _tell(details: stamina.instrumentation.RetryDetails) -> None:
    if details.retry_num == _WORTH_TELLING:
        terminal.note(f"no answer yet, repeating: {details.caused_by}")


def _for(command: object, found: Mapping[str, str]) -> dict[str, Any]:
    inner = getattr(command, "commands", {})
    return {**found, **{name: _for(sub, found) for name, sub in inner.items()}}


if __name__ == "__main__":
    app()
