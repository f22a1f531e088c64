"""`server.properties` of a test broker: KRaft, broker and controller in one process."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.services.certificates import Certificates
from tests.services.ports import free_port

USER = "alice"
PASSWORD = "alice-secret"
SECURED = ("SSL", "SASL_PLAINTEXT", "SASL_SSL")
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True)
class Node:
    """One broker of a cluster; `ports` by listener name, `id` counts from 1 and is Kafka's node id."""

    id: int
    folder: Path
    ports: Mapping[str, int]

    @property
    def properties(self) -> Path:
        """The file the broker is started with."""
        return self.folder / "server.properties"


def new_node(number: int, folder: Path, *, secured: bool) -> Node:
    """A node with free ports for the plain and the controller listener, and for the secured ones if wanted."""
    listeners = ("PLAINTEXT", "CONTROLLER", *(SECURED if secured else ()))
    return Node(number, folder / f"node-{number}", {name: free_port() for name in listeners})


def settings(node: Node, cluster: list[Node], certificates: Certificates | None) -> dict[str, str]:
    """All settings of one node of the cluster."""
    return {
        **_listeners(node, cluster),
        **_replicas(len(cluster)),
        "log.dirs": str(node.folder / "data"),
        "auto.create.topics.enable": "false",
        # A killed broker may come back when its old session has expired: 2 s instead of 12.
        "broker.session.timeout.ms": "1000",
        "broker.heartbeat.interval.ms": "200",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "log.cleaner.dedupe.buffer.size": "4194304",
        "log.cleaner.backoff.ms": "500",
        "num.network.threads": "2",
        "num.io.threads": "4",
        **(_security(certificates) if certificates else {}),
    }


def _listeners(node: Node, cluster: list[Node]) -> dict[str, str]:
    addresses = {name: f"{name}://127.0.0.1:{port}" for name, port in node.ports.items()}
    protocols = {name: "PLAINTEXT" if name == "CONTROLLER" else name for name in node.ports}
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.id),
        "controller.quorum.voters": ",".join(f"{n.id}@127.0.0.1:{n.ports['CONTROLLER']}" for n in cluster),
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listeners": ",".join(addresses.values()),
        "advertised.listeners": ",".join(a for name, a in addresses.items() if name != "CONTROLLER"),
        "listener.security.protocol.map": ",".join(f"{n}:{p}" for n, p in protocols.items()),
    }


def _replicas(nodes: int) -> dict[str, str]:
    replicas, in_sync = str(min(3, nodes)), str(min(2, nodes))
    return {
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "8",
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": "8",
    }


def _security(certificates: Certificates) -> dict[str, str]:
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    logins = {"plain": f'{plain} user_{USER}="{PASSWORD}";', **{name.lower(): scram for name in SCRAM}}
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificates.server),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.authority),
        "ssl.client.auth": "requested",  # a client may show a certificate, and a wrong one is refused
        "sasl.enabled.mechanisms": ",".join(("PLAIN", *SCRAM)),
        **{
            f"listener.name.{listener}.{mechanism}.sasl.jaas.config": login
            for listener in ("sasl_plaintext", "sasl_ssl")
            for mechanism, login in logins.items()
        },
    }
