"""Sample agents and workflows: the demo's crew, and examples of how agents are written.

Nine agent groups work on two kinds of workflow. `python -m coordination.samples GROUP --log ADDRESS` runs one
instance of a group as a process of its own, `director` starts the runs.
"""

from coordination.samples.crew import GROUPS, make_agent, run_crew

__all__ = ["GROUPS", "make_agent", "run_crew"]
