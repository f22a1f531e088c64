"""The vocabulary: every event type of the protocol and the schema of its data."""

from coordination.events.catalogue import CATALOGUE, TYPE_PREFIX, Data, EventType

__all__ = ["CATALOGUE", "TYPE_PREFIX", "Data", "EventType"]
