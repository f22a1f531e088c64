"""Prefect: a flow run a run, a task run a task with its states, over its HTTP API, ten requests at a time.

python prefectruns.py RUNS TASKS PORT
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from work import Server, Task, ask, measure, runs


def main(count: int, tasks: int, port: int) -> None:
    """Start the server, feed it, say what it took."""
    api = f"http://127.0.0.1:{port}/api"
    environment = {"PREFECT_HOME": "FOLDER", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    server = Server(command, f"{api}/health", environment)

    def one(flow_run: str, task: Task) -> None:
        running = {"type": "RUNNING", "name": "Running"}
        body = {"flow_run_id": flow_run, "task_key": task.name, "dynamic_key": str(task.number), "state": running}
        made = ask(f"{api}/task_runs/", {**body, "name": f"{task.name} {task.number}"})
        end = {"type": "FAILED", "name": "Failed"} if task.failed else {"type": "COMPLETED", "name": "Completed"}
        ask(f"{api}/task_runs/{made['id']}/set_state", {"state": end, "force": True})

    def feed() -> None:
        flow = ask(f"{api}/flows/", {"name": "bench"})["id"]
        with ThreadPoolExecutor(10) as together:
            for number, run in enumerate(runs(count, tasks)):
                flow_run = ask(f"{api}/flow_runs/", {"flow_id": flow, "name": f"run {number}"})["id"]
                list(together.map(lambda task, flow_run=flow_run: one(flow_run, task), run))

    try:
        measure(server, count * tasks, feed, lambda: int(ask(f"{api}/task_runs/count", {})), 300)
    finally:
        server.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
