"""Apache Kafka as one node: broker and controller in one JVM with at most 512 MB of heap."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bellwether.adapters.kafka.reachability import cluster_id
from bellwether_cli.stack.class_archive import ClassArchive
from bellwether_cli.stack.folder import Folder, Ports
from bellwether_cli.stack.part import Part
from bellwether_cli.stack.ports import LOOPBACK
from bellwether_cli.stack.process import Command, run

_BROKER = "kafka.Kafka"
_FORMATTER = "kafka.tools.StorageTool"
_FORMAT_S = 60.0
_JVM = [
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",  # one small heap on a machine shared with everything else
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
]
_SHORT_LIFE = ["-XX:TieredStopAtLevel=1"]
"""The second compiler takes more of the processor than its code gives back before a short life is over."""

# A single node for one machine: few threads, small buffers, and no wait for a second group member that never comes.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{broker}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
delete.topic.enable=true
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
controlled.shutdown.enable=false
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=2
background.threads=2
num.recovery.threads.per.data.dir=2
log.cleaner.dedupe.buffer.size=8388608
log.segment.bytes=67108864
log.index.size.max.bytes=1048576
"""

_LOGGING = """\
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %-5p %c{1}: %m%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
"""


class Kafka(Part):
    """A single Kafka node on 127.0.0.1. Topics have to be created: none comes into being by itself."""

    name = "kafka"

    def __init__(self, folder: Folder, java: Path, jars: Path, ports: Ports, cluster: str, *, durable: bool) -> None:
        super().__init__(folder)
        self._jvm = _JVM if durable else [*_JVM, *_SHORT_LIFE]
        self._java = java
        self._jars = jars
        self._ports = ports
        self._cluster = cluster
        self._home = folder.path / "kafka"

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"{LOOPBACK}:{self._ports.kafka}"

    async def prepare(self) -> None:
        """Write the configuration and, on a new folder, format the storage."""
        self._home.mkdir(exist_ok=True)
        data = self._home / "data"
        text = _PROPERTIES.format(
            host=LOOPBACK, broker=self._ports.kafka, controller=self._ports.kafka_controller, data=data
        )
        self._properties.write_text(text)
        (self._home / "log4j2.properties").write_text(_LOGGING)
        if not (data / "meta.properties").exists():
            formatting = [
                "format",
                "--config",
                str(self._properties),
                "--cluster-id",
                self._cluster,
                "--ignore-formatted",
            ]
            argv = self._java_argv(_FORMATTER, *formatting, jvm=_SHORT_LIFE)
            await run(self.name, Command(argv=argv, log=self._folder.log(self.name)), _FORMAT_S)
            await asyncio.to_thread(self._archive(_FORMATTER).keep)

    @property
    def leaves_something(self) -> bool:
        """Whether its classes are not archived yet."""
        return not self._archive(_BROKER).kept.exists()

    async def stop(self) -> None:
        """End the server in order, by force after a while. Nothing happens when it does not run."""
        await super().stop()
        await asyncio.to_thread(self._archive(_BROKER).keep)

    @property
    def _properties(self) -> Path:
        return self._home / "server.properties"

    def _command(self, lock_fd: int) -> Command:
        argv = self._java_argv(_BROKER, str(self._properties), jvm=self._jvm)
        return Command(argv=argv, log=self._folder.log(self.name), cwd=self._home, lock_fd=lock_fd)

    def _java_argv(self, main: str, *arguments: str, jvm: list[str]) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self._home / 'log4j2.properties'}"
        archive = self._archive(main).options
        return [str(self._java), *jvm, *archive, logging, "-cp", f"{self._jars}/*", main, *arguments]

    def _archive(self, main: str) -> ClassArchive:
        return ClassArchive.of(self._java, self._jars, main, self._home)

    async def _answers(self) -> bool:
        # A plain connection first: the client library reports each refusal as an error.
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self._ports.kafka)
        except OSError:
            return False
        writer.close()
        return await cluster_id(self.bootstrap) == self._cluster
