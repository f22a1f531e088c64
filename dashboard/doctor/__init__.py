"""Doctor: looks at everything an installation needs and says, line by line, what is wrong and what to do.

One file per thing that is looked at: `installation` (settings, state folder), `exposure`
(what is unsafe), `database` (tables, clock),
`channels`, `brokers` (the log: reach, topics, rights, clock), `traffic` (workers, gaps, what is behind). Each offers
functions that yield findings; `examination` runs them all. Nothing is written but a row that is rolled back and a
message on the channel layer.
"""

from dashboard.doctor.examination import examine
from dashboard.doctor.finding import DOUBT, FAULT, FINE, Finding

__all__ = ["DOUBT", "FAULT", "FINE", "Finding", "examine"]
