"""The agents that investigate incidents: intake, planner, prober, logreader, researcher, writer.

intake coordinates one incident: triage and plan, then evidence from three sides (two of three are enough), then a
write-up, a public status update that a person must approve, and publication.
"""

from typing import Any, Final

from coordination.agent import Agent, Preview, Rejected, Retry, TaskContext
from coordination.samples.incidents import METRICS, TOPICS, status_update
from coordination.samples.stage import Stage, ToolDown, ask_model, field, tool

QUICK: Final = Retry(attempts=3, base=2.0, cap=8.0)


def intake(stage: Stage) -> Agent:
    """Coordinates: one task per incident, which ends the run."""
    agent = Agent("intake", **stage.limits(concurrency=24))

    @agent.task("investigate incident", ends_run=True)
    async def investigate(task: TaskContext) -> dict[str, Any]:
        given = dict(task.input)
        triage = await task.request("triage", "planner", title="triage", input=given)
        severity = triage.required()["severity"]
        plan = await task.request("plan", "planner", title="plan", input=given, depends_on=(triage.task_id,))
        plan.required()
        evidence = task.fan_out("evidence", join="quorum", quorum=2, on_failure="continue", deadline_in=900)
        first = (plan.task_id,)
        sides = (("query metrics", "prober"), ("search logs", "logreader"), ("research", "researcher"))
        ids = [evidence.branch(kind, group, title=kind, input=given, depends_on=first) for kind, group in sides]
        await evidence.join()
        written = await task.request("write", "writer", title="write", input=given, depends_on=tuple(ids))
        if not written.completed:
            return {"severity": severity, "published": False, "why": written.error}
        published = await task.request("publish", "writer", title="publish", input=given, depends_on=(written.task_id,))
        return {"severity": severity, "published": published.completed}

    return agent


def planner(stage: Stage) -> Agent:
    """Thinks: triage and plan."""
    agent = Agent("planner", **stage.limits(concurrency=3))

    @agent.task("triage")
    async def triage(task: TaskContext) -> Any:
        chance = stage.chance("triage", field(task, "number"))
        answer = {"severity": chance.choice(("sev-2", "sev-2", "sev-3")), "owner": field(task, "service")}
        return await ask_model(stage, task, answer, seconds=chance.uniform(0.6, 2.0), words=320, prompt="triage/7")

    @agent.task("plan")
    async def plan(task: TaskContext) -> Any:
        chance = stage.chance("plan", field(task, "number"))
        await task.tool(
            "runbook.search",
            {"service": field(task, "service"), "limit": 5},
            tool(stage, 0.4, {"pages": 3}),
            tool_type="retrieval",
        )
        steps = ["query metrics", "search logs", "research"]
        return await ask_model(
            stage, task, {"steps": steps}, seconds=chance.uniform(1.0, 3.0), words=900, prompt="plan/12"
        )

    return agent


def prober(stage: Stage) -> Agent:
    """Asks the monitoring system, one metric a task; all must be in."""
    agent = Agent("prober", **stage.limits(concurrency=6), retry=QUICK)

    @agent.task("query metrics")
    async def query_metrics(task: TaskContext) -> dict[str, Any]:
        probes = task.fan_out("metrics", join="all", on_failure="continue", title="metrics")
        for index in range(int(field(task, "metrics", 6))):
            given = {**dict(task.input), "metric": METRICS[index % len(METRICS)], "index": index}
            probes.branch("query metric", "prober", title=given["metric"], input=given)
        results = await probes.join()
        return {"anomalies": sum(1 for result in results if result.output and result.output.get("anomaly"))}

    @agent.task("query metric")
    async def query_metric(task: TaskContext) -> dict[str, Any]:
        metric = field(task, "metric")
        chance = stage.chance("metric", field(task, "number"), metric)
        late = chance.random() < 0.12 and task.attempt == 1
        error = ToolDown(f"query of {metric} exceeded 30 s") if late else None
        seconds = chance.uniform(0.3, 1.6)
        query = {"expr": metric, "service": field(task, "service"), "range": "2h"}
        await task.tool("metrics.query", query, tool(stage, seconds, {"points": 240}, error))
        return {"metric": metric, "anomaly": chance.random() < 0.2}

    return agent


def logreader(stage: Stage) -> Agent:
    """Searches logs shard by shard; whatever the shards answer will do."""
    agent = Agent("logreader", **stage.limits(concurrency=4), retry=QUICK)

    @agent.task("search logs")
    async def search_logs(task: TaskContext) -> dict[str, Any]:
        shards = task.fan_out("shards", join="all_settled", title="log shards")
        for index in range(int(field(task, "shards", 3))):
            shards.branch(
                "search shard", "logreader", title=f"shard {index}", input={**dict(task.input), "shard": index}
            )
        results = await shards.join()
        return {"lines": sum(result.output["lines"] for result in results if result.output)}

    @agent.task("search shard")
    async def search_shard(task: TaskContext) -> dict[str, Any]:
        chance = stage.chance("shard", field(task, "number"), field(task, "shard"))
        lines = chance.randrange(0, 900)
        query = {"query": f"service:{field(task, 'service')} level:error", "shard": field(task, "shard")}
        await task.tool("logs.search", query, tool(stage, chance.uniform(0.8, 3.0), {"lines": lines}))
        await task.progress(0.9, "ranking", f"{lines} lines")
        return {"lines": lines}

    return agent


def researcher(stage: Stage) -> Agent:
    """Reads around the incident: 10 to 60 topics, some of which open three pages each."""
    agent = Agent("researcher", **stage.limits(concurrency=6), retry=QUICK)

    @agent.task("research")
    async def research(task: TaskContext) -> dict[str, Any]:
        topics = task.fan_out("topics", join="all_settled", title="topics")
        for index in range(int(field(task, "topics", 10))):
            name = TOPICS[index % len(TOPICS)]
            given = {**dict(task.input), "topic": name, "index": index}
            topics.branch("research topic", "researcher", title=name, input=given)
        results = await topics.join()
        return {"read": sum(1 for result in results if result.completed), "of": len(results)}

    @agent.task("research topic")
    async def research_topic(task: TaskContext) -> dict[str, Any]:
        chance = stage.chance("topic", field(task, "number"), field(task, "index"))
        kind = chance.random()
        if kind < 0.10:
            pages = task.fan_out("pages", join="any", title="pages")
            for page in range(3):
                pages.branch("fetch page", "researcher", title=f"page {page}", input={**dict(task.input), "page": page})
            await pages.join()
        gone = kind > 0.965
        flaky = kind > 0.86 and task.attempt < 3
        error: Exception | None = None
        if gone:
            error = ToolDown("HTTP 410 from vendor-status: the notice was taken down")
        elif flaky:
            error = ToolDown("HTTP 429 from search-gateway, retry after 2 s")
        query = {"q": f"{field(task, 'service')} {field(task, 'topic')}", "limit": 10}
        await task.tool(
            "web.search", query, tool(stage, chance.uniform(0.4, 2.2), {"hits": 6}, error), tool_type="search"
        )
        summary = {"topic": field(task, "topic"), "relevant": chance.random() < 0.3}
        return dict(
            await ask_model(
                stage,
                task,
                summary,
                seconds=chance.uniform(0.5, 1.8),
                words=260,
                prompt="digest/4",
                model="atlas-small-2",
            )
        )

    @agent.task("fetch page")
    async def fetch_page(task: TaskContext) -> dict[str, Any]:
        chance = stage.chance("page", task.task_id)
        await task.tool(
            "web.fetch", {"page": field(task, "page")}, tool(stage, chance.uniform(0.3, 1.2), {"bytes": 18_204})
        )
        return {"bytes": 18_204}

    return agent


def writer(stage: Stage) -> Agent:
    """Writes up, asks before it speaks in public, publishes."""
    agent = Agent("writer", **stage.limits(concurrency=4), retry=QUICK)

    @agent.task("write")
    async def write(task: TaskContext) -> dict[str, Any]:
        number, service, region = field(task, "number"), field(task, "service"), field(task, "region")
        chance = stage.chance("write", number)
        draft = await ask_model(
            stage, task, {"words": 640}, seconds=chance.uniform(2.0, 5.0), words=2_400, prompt="postmortem/3"
        )
        minutes = chance.choice((20, 30, 45))
        harmless = chance.random() < 0.4
        update = status_update(service, region, minutes)
        decision = await task.approve(
            "statuspage.post",
            update,
            target="status.example",
            args_schema={
                "type": "object",
                "required": ["component", "state", "text"],
                "properties": {
                    "component": {"type": "string"},
                    "state": {"enum": ["operational", "degraded", "outage"]},
                    "text": {"type": "string", "maxLength": 400},
                },
            },
            title="Post status page update",
            question=f"INC-{number}: {field(task, 'detail')}. May customers read this?",
            preview=Preview(kind="json", before={"state": "operational", "text": ""}, after=update, complete=True),
            reversibility="yes" if harmless else "compensable",
            risk="low" if harmless else "medium",
            risk_reasons=("customers will read it",),
            allowed=("approve", "edit", "reject"),
            due_in=chance.choice((45.0, 90.0, 150.0, 240.0)) / stage.rate,
            expires_in=chance.choice((75.0, 240.0, 360.0, 480.0)) / stage.rate,
            on_expiry="approve" if harmless else "reject",
        )
        if not decision.granted:
            raise Rejected(f"The status update was not permitted: {decision.decision}. {decision.feedback}".strip())
        await task.tool(
            "statuspage.post", dict(decision.args), tool(stage, 0.6, {"posted": True}), effects=True, show_result=True
        )
        return {"words": draft["words"], "posted": True}

    @agent.task("publish")
    async def publish(task: TaskContext) -> dict[str, Any]:
        name = f"INC-{field(task, 'number')}.md"
        await task.tool("wiki.publish", {"page": name}, tool(stage, 0.8, {"url": f"/wiki/{name}"}), effects=True)
        await task.artifact(name, f"wiki/{name}", media_type="text/markdown", size=14_336)
        return {"page": name}

    return agent
