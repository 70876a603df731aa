"""Class data sharing (JEP 350): a JVM that finds a program's classes parsed in an archive starts in half the time.

An archive fits one build of Java and one classpath only, so it is made here, by the first run that ends in order.
A JVM to which an archive does not fit leaves it aside and starts as it would without.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

_QUIET = ["-Xlog:cds=off", "-Xlog:cds+dynamic=off"]


@dataclass(frozen=True, slots=True)
class ClassArchive:
    """The archive of one program's classes.

    kept: where runs look for it
    draft: where a run that finds none leaves one
    """

    kept: Path
    draft: Path

    @classmethod
    def of(cls, java: Path, jars: Path, main: str, home: Path) -> ClassArchive:
        """The archive of a main class beside its jars, and the draft in a folder of this run's own."""
        built = java.resolve()
        build = hashlib.sha256(f"{built} {built.stat().st_mtime_ns}".encode()).hexdigest()[:12]
        return cls(jars / f"{main}-{build}.jsa", home / f"{main}.jsa")

    @property
    def options(self) -> list[str]:
        """For the JVM: use the archive, or leave one at the end."""
        if self.kept.exists():
            return [f"-XX:SharedArchiveFile={self.kept}", *_QUIET]
        return [f"-XX:ArchiveClassesAtExit={self.draft}", *_QUIET]

    def keep(self) -> None:
        """Keep what an orderly end has left, if it has (a killed JVM leaves none) and the jars' folder takes it."""
        # Others may keep theirs at this moment, and some read it: it comes whole or not at all.
        whole = self.kept.with_name(f"{self.kept.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            shutil.copyfile(self.draft, whole)
            whole.replace(self.kept)
            self.draft.unlink()
