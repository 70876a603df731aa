"""Sending with a bar that tells how far it is."""

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bellwether_cli import terminal
from bellwether_cli.replay.answers import SendingFailed
from bellwether_cli.replay.plan import Plan
from bellwether_cli.replay.sender import Intake, Tally


class _Rate(TextColumn):
    """Rows a second since the start."""

    def __init__(self) -> None:
        super().__init__("{task.fields[rate]:>7,.0f}/s")


def bar() -> Progress:
    """A bar on standard error; it draws nothing where that is no terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        console=terminal.err,
        transient=True,
        disable=not terminal.err.is_terminal,
    )


async def sending(plan: Plan, intake: Intake, *, size: int, speed: float | None = None) -> Tally:
    """Send a whole plan, at once or paced, showing progress; the intake is closed at the end.

    Raises SendingFailed where the intake refuses or stays away.
    """
    tally = Tally()
    async with intake:
        with bar() as drawn:
            task = drawn.add_task(f"sending {plan.path.name}", total=None, rate=0.0)

            def show(now: Tally) -> None:
                elapsed = drawn.tasks[0].elapsed or 0.0
                drawn.update(task, completed=now.rows, rate=now.rows / elapsed if elapsed else 0.0)

            try:
                if speed is None:
                    await intake.send(plan.results(), tally, size=size, progress=show)
                else:
                    await intake.send_paced(plan.results(), tally, speed=speed, size=size, progress=show)
            except SendingFailed as error:
                so_far = f"{tally.accepted} events were accepted; the same command once more goes on harmlessly"
                raise SendingFailed(f"{error}\n{so_far}") from error
    return tally
