"""Dagster: a job a run, an op a task, run in its own process against an instance on SQLite.

    python dagsterops.py RUNS TASKS PORT

Dagster has no intake for what others ran, so the rate is that of its own executor writing its events.
"""

import sys

from dagster import DagsterInstance, GraphDefinition, OpDefinition, Out, Output
from work import Server, measure, runs

HOME = {"DAGSTER_HOME": "FOLDER", "DAGSTER_DISABLE_TELEMETRY": "1"}
# A web server wants something that is defined.
WEB = """
import runpy, sys
open("definitions.py", "w").write("from dagster import Definitions\\ndefs = Definitions()\\n")
sys.argv = ["dagster-webserver", "-f", "definitions.py", "-p", sys.argv[1]]
runpy.run_module("dagster_webserver", run_name="__main__")
"""


def main(count: int, tasks: int, port: int) -> None:
    """Start its web server, run everything, say what it took."""
    server = Server([sys.executable, "-c", WEB, str(port)], f"http://127.0.0.1:{port}/server_info", HOME)
    done = [0]

    def feed() -> None:
        with DagsterInstance.local_temp(str(server.folder)) as instance:
            for run in runs(count, tasks):
                job = GraphDefinition(name="bench", node_defs=[_op(task.number, task.failed) for task in run]).to_job()
                job.execute_in_process(instance=instance, raise_on_error=False)
                done[0] += len(run)

    try:
        measure(server, count * tasks, feed, lambda: done[0], 60)
    finally:
        server.stop()


def _op(number: int, failed: bool) -> OpDefinition:
    def compute(context, inputs):  # type: ignore[no-untyped-def]  # Dagster takes no other hint than its own
        if failed:
            raise ValueError(f"row {number} is empty")
        yield Output(1)

    return OpDefinition(name=f"task_{number}", compute_fn=compute, outs={"result": Out()})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
