"""Incident investigations: what they are about. Pure data by seed, in the words of a company that sells things."""

import random
from typing import Any, Final

import msgspec

SYMPTOMS: Final = (
    ("checkout latency", "checkout-web", "p95 above 2.4 s since the 14:02 deploy"),
    ("cart 502 spikes", "cart-api", "3 % of requests answered 502 by the edge"),
    ("stale search index", "search-indexer", "new products appear 40 minutes late"),
    ("payment webhook drops", "payments-hooks", "1 of 40 webhooks never acknowledged"),
    ("DNS timeouts", "edge-resolver", "lookups of internal names time out after 5 s"),
    ("login loop on mobile", "identity", "sessions end right after they begin on app 7.4"),
    ("image CDN misses", "media-cdn", "hit rate fell from 96 % to 61 %"),
    ("inventory drift", "stock-sync", "warehouse and shop differ for 812 articles"),
)
REGIONS: Final = ("eu-west", "eu-north", "us-east", "ap-south")
METRICS: Final = (
    "request rate", "error rate", "p95 latency", "connection pool", "queue depth", "CPU throttling",
    "memory pressure", "GC pauses", "disk latency", "retransmits", "cache hit rate", "thread pool",
)  # fmt: skip
TOPICS: Final = (
    "vendor notices", "pool metrics", "deploy diff", "feature flags", "schema changes", "certificate expiry",
    "traffic mix", "known issues", "similar incidents", "on-call notes", "config history", "dependency upgrades",
    "rate limits", "bot traffic", "batch jobs", "failover drills", "kernel updates", "quota changes",
    "routing tables", "TLS handshakes",
)  # fmt: skip


class Incident(msgspec.Struct, frozen=True):
    """One incident. `topics` is how many topics are researched, 10 to 60."""

    number: int
    symptom: str
    service: str
    detail: str
    region: str
    metrics: int
    shards: int
    topics: int

    @property
    def title(self) -> str:
        """As the board shows it."""
        return f"Investigate INC-{self.number}, {self.symptom} {self.region}"


def incident(chance: random.Random, number: int) -> Incident:
    """The incident of this number."""
    symptom, service, detail = SYMPTOMS[number % len(SYMPTOMS)]
    return Incident(
        number=number,
        symptom=symptom,
        service=service,
        detail=detail,
        region=chance.choice(REGIONS),
        metrics=chance.randint(6, 12),
        shards=chance.randint(3, 8),
        topics=chance.choice((10, 12, 14, 18, 24, 36, 60)),
    )


def status_update(service: str, region: str, minutes: int) -> dict[str, Any]:
    """The public status text before and after."""
    return {
        "component": service,
        "state": "degraded",
        "text": f"We see slower answers of {service} in {region} and have found the likely cause. "
        f"Next update in {minutes} minutes.",
    }
