"""The options of `bellwether replay`, with their help."""

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=".csv, .tsv or .jsonl, each also .gz.")]
Map = Annotated[
    str | None,
    typer.Option("--map", help="airline, support, events (canonical JSON lines), or a YAML file; default: guessed."),
]
Speed = Annotated[
    float | None,
    typer.Option(min=0.001, help="Pace by the events' times: 1 is real time, 60 an hour a minute. Default: at once."),
]
RebaseTo = Annotated[
    str | None, typer.Option(help="Shift all times so that the last event falls on `now` or an ISO 8601 time.")
]
Brand = Annotated[str | None, typer.Option(help="Slug of the brand for every row, instead of the mapped one.")]
BatchSize = Annotated[int, typer.Option(min=1, max=10_000, help="Events per request.")]
Concurrency = Annotated[
    int, typer.Option(min=1, max=64, help="Requests at once, one for each brand; 1 keeps the order of the whole file.")
]
Shuffle = Annotated[int | None, typer.Option(help="Send in a random order, the same for the same seed.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first rows of the file.")]
Patience = Annotated[float, typer.Option(min=0.1, help="Seconds to repeat a request while the intake is away.")]
CreateBrands = Annotated[bool, typer.Option("--create-brands", help="First make the brands of the file, by the API.")]
AdminKey = Annotated[
    str,
    typer.Option(
        help="Key with the scope admin, for --create-brands (BELLWETHER_ADMIN_KEY); default: --key.", show_default=False
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Map and check everything, send nothing.")]
