"""The agents that run refund batches: ledger, validator, payer, reconciler.

payer coordinates one batch: find duplicates, validate each refund, execute in parts (each needs a permission), then
reconcile with the ledger. The reconciler is slow on purpose: its lag grows with each batch and drains again.
"""

from decimal import InvalidOperation
from typing import Any, Final

from coordination.agent import Agent, Policy, Preview, Rejected, Retry, TaskContext
from coordination.samples.refundbatches import read_amount, schema
from coordination.samples.stage import Stage, ToolDown, field, tool

PART: Final = 20
QUICK: Final = Retry(attempts=3, base=1.5, cap=6.0)
ONCE: Final = Retry(attempts=1)


def payer(stage: Stage) -> Agent:
    """Coordinates batches, asks for permission, moves the money."""
    agent = Agent("payer", **stage.limits(concurrency=24), retry=QUICK)

    @agent.task("refund batch", ends_run=True)
    async def refund_batch(task: TaskContext) -> dict[str, Any]:
        number, items = field(task, "number"), list(field(task, "items", []))
        found = await task.request("find duplicates", "ledger", title="find duplicates", input={"number": number})
        checks = task.fan_out("validation", join="all", on_failure="continue", title="validation")
        valid = [
            checks.branch(
                "validate refund",
                "validator",
                title=f"{item['id']} {item['customer']}",
                input={"number": number, "index": index, "item": item},
                depends_on=(found.task_id,),
            )
            for index, item in enumerate(items)
        ]
        await checks.join()
        entries = task.fan_out("entries", join="quorum", quorum=max(1, len(items[:30]) * 2 // 3), title="entries")
        for index, item in enumerate(items[:30]):
            entries.branch(
                "reconcile entry",
                "reconciler",
                title=f"entry {item['id']}",
                input={"number": number, "index": index, "item": item},
                depends_on=(found.task_id,),
            )
        await entries.request()
        parts = task.fan_out("execution", join="all_settled", title="execution")
        count = (len(items) + PART - 1) // PART
        for part in range(count):
            given = {"number": number, "part": part + 1, "of": count, "items": items[part * PART : (part + 1) * PART]}
            title = f"execute {part + 1} of {count}"
            parts.branch("execute refunds", "payer", title=title, input=given, depends_on=tuple(valid))
        executed = await parts.join()
        await entries.join(must_succeed=False)
        return {"executed": sum(1 for result in executed if result.completed), "of": count}

    @agent.task("execute refunds")
    async def execute(task: TaskContext) -> dict[str, Any]:
        items, part = list(field(task, "items", [])), field(task, "part")
        number, chance = field(task, "number"), stage.chance("execute", field(task, "number"), part)
        total = f"{sum(read_amount(item['amount']) for item in items):.2f}"
        asked = {
            "batch_id": f"rfb-{number}-{part}",
            "currency": "EUR",
            "psp": "Adyen live",
            "total": total,
            "notify_customers": True,
            "items": [
                {"id": item["id"], "amount": item["amount"], "reason_code": item["reason_code"]} for item in items
            ],
        }
        needs_two = float(total) > 3_500
        decision = await task.approve(
            "payments.refunds.execute",
            asked,
            target="Adyen live",
            args_schema=schema(),
            title=f"Execute refunds, batch {part} of {field(task, 'of')}",
            question=f"{len(items)} charges were captured twice. The ledger agrees with {len(items)} of {len(items)}.",
            preview=Preview(
                kind="table",
                before={"refunds": 0, "total": "0.00"},
                after={"refunds": len(items), "total": total},
                complete=True,
            ),
            reversibility="compensable",
            risk="high" if needs_two else "medium",
            risk_reasons=(f"{total} EUR leave the account",),
            allowed=("approve", "edit", "reject"),
            policy=Policy(name="payments.refunds", version="6", validity_ms=600_000),
            due_in=chance.choice((60.0, 120.0, 200.0)) / stage.rate,
            expires_in=chance.choice((200.0, 300.0, 420.0)) / stage.rate,
            on_expiry=chance.choice(("reject", "reject", "escalate")),
        )
        if not decision.granted:
            raise Rejected(f"No permission to refund {total} EUR: {decision.decision}. {decision.feedback}".strip())
        money = task.fan_out("transfers", join="all", on_failure="continue", title="transfers")
        for index, item in enumerate(decision.args["items"]):
            money.branch(
                "transfer",
                "payer",
                title=f"{item['id']} {item['amount']} EUR",
                input={"number": number, "index": index, **item},
            )
        done = await money.join()
        return {"refunded": len(done), "total": decision.args["total"]}

    @agent.task("transfer")
    async def transfer(task: TaskContext) -> dict[str, Any]:
        chance = stage.chance("transfer", field(task, "number"), field(task, "id"))
        busy = chance.random() < 0.08 and task.attempt == 1
        error = ToolDown("503 from the payment provider: try again") if busy else None
        args = {"charge": field(task, "id"), "amount": field(task, "amount")}
        done = {"refund": f"rf_{chance.getrandbits(32):08x}", "state": "accepted"}
        result = await task.tool(
            "psp.refund", args, tool(stage, chance.uniform(0.2, 1.0), done, error), effects=True, show_result=True
        )
        return dict(result)

    @agent.compensation("transfer")
    async def take_back(task: TaskContext) -> None:
        await task.tool("psp.cancel", {"refund": task.output["refund"]}, tool(stage, 0.5, {"ok": True}), effects=True)

    return agent


def ledger(stage: Stage) -> Agent:
    """Knows what was charged."""
    agent = Agent("ledger", **stage.limits(concurrency=2))

    @agent.task("find duplicates")
    async def find_duplicates(task: TaskContext) -> dict[str, Any]:
        chance = stage.chance("duplicates", field(task, "number"))
        await task.tool(
            "ledger.query", {"window": "24h"}, tool(stage, chance.uniform(0.8, 2.4), {"rows": 4_310}), tool_type="sql"
        )
        return {"rows": 4_310}

    return agent


def validator(stage: Stage) -> Agent:
    """Reads each refund as the payment provider will; what it cannot read it does not let through."""
    agent = Agent("validator", **stage.limits(concurrency=5), retry=QUICK)

    @agent.task("validate refund", retry=ONCE)
    async def validate(task: TaskContext) -> dict[str, Any]:
        item = field(task, "item", {})
        chance = stage.chance("validate", item.get("id"))
        await stage.work(chance.uniform(0.1, 0.6))
        try:
            amount = read_amount(item["amount"])
        except InvalidOperation as error:
            raise SchemaError(f"amount {item['amount']!r} of {item['id']} is not a decimal") from error
        return {"amount": str(amount)}

    return agent


class SchemaError(Exception):
    """A refund that does not look like one."""


def reconciler(stage: Stage) -> Agent:
    """One entry after the other, more than a second each: the agent whose lag is worth watching."""
    agent = Agent("reconciler", **stage.limits(concurrency=1, prefetch=1), retry=QUICK)

    @agent.task("reconcile entry")
    async def reconcile(task: TaskContext) -> dict[str, Any]:
        chance = stage.chance("reconcile", task.task_id)
        await stage.work(chance.uniform(0.7, 1.6))
        return {"matched": chance.random() < 0.97}

    return agent
