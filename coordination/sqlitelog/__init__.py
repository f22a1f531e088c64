"""The log in one SQLite file, which any process of this machine may open.

It keeps topics, records, committed positions and leased members, and gives what the protocol asks of a log:
an append is durable when it returns (`synchronous=FULL`), a commit with its records is one SQLite transaction,
and a member that lost a partition finds that out inside that transaction.
"""

from coordination.sqlitelog.log import SqliteLog

__all__ = ["SqliteLog"]
