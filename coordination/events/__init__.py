"""The vocabulary: every event type of the protocol and the schema of its data.

`run`, `task`, `fanout`, `call`, `approval`, `agent`, `summary` and `operation` hold the data schemas,
`catalogue` the one table that lists every name.
"""

from coordination.events.catalogue import CATALOGUE, TYPE_PREFIX, EventType
from coordination.events.shapes import Data, Failure

__all__ = ["CATALOGUE", "TYPE_PREFIX", "Data", "EventType", "Failure"]
