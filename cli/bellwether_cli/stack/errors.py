"""What goes wrong when real servers are started on somebody's machine."""

from pathlib import Path

_TAIL_LINES = 15


class StackError(Exception):
    """A part of the stack could not be started or has died. Says which part, why, and where its log is."""

    def __init__(self, part: str, reason: str, log: Path | None = None) -> None:
        super().__init__(_explain(part, reason, log))
        self.part = part
        self.reason = reason
        self.log = log


def _explain(part: str, reason: str, log: Path | None) -> str:
    lines = [f"{part}: {reason}"]
    if log is not None:
        lines += [f"    {line}" for line in tail(log)]
        lines.append(f"its log: {log}")
    return "\n".join(lines)


def tail(log: Path, lines: int = _TAIL_LINES) -> list[str]:
    """The last lines of a log, none when there is no log."""
    try:
        return log.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return []
