"""Apache Kafka for tests: one broker or a cluster, on free ports, with its own folder, killed and restarted at will."""

import base64
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.services import kafka_settings
from tests.services.certificates import make_certificates
from tests.services.java import find_java
from tests.services.kafka_jars import find_kafka
from tests.services.kafka_lag import COMMAND, PartitionLag, read_lags
from tests.services.process import ServerProcess

START_SECONDS = 60.0


class KafkaBroker:
    """A running Kafka: `with KafkaBroker() as kafka: … kafka.bootstrap`.

    `nodes` brokers form a KRaft cluster; every method that takes `node` (Kafka's node id, from 1) means all of
    them without it. `secured` adds the listeners SSL, SASL_PLAINTEXT and SASL_SSL (see `address`), with the files
    of `certificates` and the user of `kafka_settings`. `settings` are further lines of `server.properties`.
    """

    def __init__(self, nodes: int = 1, *, secured: bool = False, settings: Mapping[str, str] | None = None) -> None:
        self._java: list[str | Path] = [find_java().path, "-cp", f"{find_kafka().path}/*", "-XX:-UsePerfData"]
        self.folder = Path(tempfile.mkdtemp(prefix="lineside-kafka-"))
        self.certificates = make_certificates(self.folder) if secured else None
        self.nodes = [kafka_settings.new_node(n, self.folder, secured=secured) for n in range(1, nodes + 1)]
        self._settings = dict(settings or {})
        self._processes = {node.id: self._process(node) for node in self.nodes}

    @property
    def bootstrap(self) -> str:
        """`host:port` of every broker's plain listener, with commas."""
        return self.address("PLAINTEXT")

    def address(self, listener: str) -> str:
        """The same for a listener by name: PLAINTEXT, and SSL, SASL_PLAINTEXT, SASL_SSL when `secured`."""
        return ",".join(f"127.0.0.1:{node.ports[listener]}" for node in self.nodes)

    def start(self, node: int | None = None) -> None:
        """Start what does not run, and wait until it takes records; data of an earlier start is still there."""
        if not self.nodes[0].properties.exists():
            self._format()
        chosen = [process for process in self._chosen(node) if not process.running]
        for process in chosen:
            process.start()
        for process in chosen:
            process.wait_until(partial(process.logged, "Kafka Server started"), START_SECONDS)

    def stop(self, node: int | None = None) -> None:
        """End in order (SIGTERM); a node that cannot within 10 s, for want of a quorum, is killed."""
        for process in self._chosen(node):
            process.stop(seconds=10)

    def kill(self, node: int | None = None) -> None:
        """SIGKILL: nothing is flushed, closed or handed over."""
        for process in self._chosen(node):
            process.kill()

    def restart(self, node: int | None = None) -> None:
        """Stop if need be, start again on the same ports with the same data."""
        self.stop(node)
        self.start(node)

    def pause(self, node: int | None = None) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        for process in self._chosen(node):
            process.pause()

    def resume(self, node: int | None = None) -> None:
        """SIGCONT after `pause`."""
        for process in self._chosen(node):
            process.resume()

    def revive(self) -> None:
        """Undo what a test did: resume what is paused, start what is down."""
        self.resume()
        self.start()

    def close(self) -> None:
        """Kill what runs and delete the data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def tool(self, program: str, *arguments: str) -> str:
        """What one of Kafka's command-line classes prints when asked this cluster; about 1.5 s.

        `tool("org.apache.kafka.tools.TopicCommand", "--describe")`; raises RuntimeError with its words when it
        fails. Class names: see the scripts in `bin` of a Kafka distribution.
        """
        return self._run(program, "--bootstrap-server", self.bootstrap, *arguments)

    def group_lags(self, *groups: str) -> list[PartitionLag]:
        """Kafka's own view of committed offsets and lag, of these consumer groups or of all, in one batch."""
        named = [word for group in groups for word in ("--group", group)] or ["--all-groups"]
        return read_lags(self.tool(COMMAND, "--describe", "--offsets", *named))

    def log_tail(self, node: int = 1, lines: int = 30) -> str:
        """The end of a node's log, for the message of a failing test."""
        return self._processes[node].log_tail(lines)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _chosen(self, node: int | None) -> list[ServerProcess]:
        return list(self._processes.values()) if node is None else [self._processes[node]]

    def _process(self, node: kafka_settings.Node) -> ServerProcess:
        node.folder.mkdir()
        options = [
            *("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            f"-Djava.io.tmpdir={node.folder}",  # else a killed broker leaves its native libraries in /tmp
        ]
        command = [*self._java, *options, "kafka.Kafka", node.properties]
        return ServerProcess(command, node.folder / "kafka.log")

    def _format(self) -> None:
        # A cluster id that begins with "-" is taken for an option: put a letter first.
        cluster = "L" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
        login = f"name={kafka_settings.USER},password={kafka_settings.PASSWORD}"
        scram = [f"--add-scram={mechanism}=[{login}]" for mechanism in kafka_settings.SCRAM]
        for node in self.nodes:
            lines = kafka_settings.settings(node, self.nodes, self.certificates) | self._settings
            node.properties.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
            arguments = ["--cluster-id", cluster, "--config", str(node.properties)]
            self._run("kafka.tools.StorageTool", "format", *arguments, *(scram if self.certificates else ()))

    def _run(self, program: str, *arguments: str) -> str:
        command = [*self._java, "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        done = subprocess.run([*command, program, *arguments], capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{program} failed, exit code {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout
