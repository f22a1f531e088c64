"""How the database answers the queries of a page: which tables it reads row by row, and how much it touches."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

MANY = 2_000
"""Rows of one table from which reading them one after the other is too much."""


class Work(NamedTuple):
    """What an address costs: its SELECTs, the pages they touch (0 where the engine does not tell), and for each
    table that was read row by row a query that did it."""

    queries: int
    pages: int
    scanned: dict[str, str]


def work(client: Client, address: str) -> Work:
    """Ask for an address, and have each of its SELECTs explained. Raises AssertionError if it does not answer."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
    assert answer.status_code in (200, 302, 404, 405, 422), f"{address} answers {answer.status_code}"
    asked = [query["sql"] for query in captured.captured_queries if query["sql"].startswith(("SELECT", "WITH"))]
    scanned: dict[str, str] = {}
    pages = 0
    for statement in asked:
        tables, touched = explained(statement)
        pages += touched
        scanned |= dict.fromkeys(tables, statement)
    return Work(len(asked), pages, scanned)


def explained(statement: str) -> tuple[list[str], int]:
    """The tables of which a statement reads many rows without an index, and how many pages it touches."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
            return list(_scans_of_sqlite(row[3] for row in cursor.fetchall())), 0
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
        (found,) = cursor.fetchone()
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    touched = plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0)
    return [node["Relation Name"] for node in _nodes(plan) if _reads_many(node)], touched


def _reads_many(node: dict[str, Any]) -> bool:
    # A LIMIT above may end a scan early, and then it is none.
    read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return "Seq Scan" in node["Node Type"] and read * node["Actual Loops"] >= MANY


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _scans_of_sqlite(lines: Iterator[str]) -> Iterator[str]:
    # An index that is walked in its order ends with the LIMIT; without one there is nothing that ends the walk.
    for line in lines:
        words = line.split()
        if words[0] == "SCAN" and "INDEX" not in words and words[1].startswith("dashboard_"):
            yield words[1]
