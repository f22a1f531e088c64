"""Questions to people in the forms of other systems, mapped to one model, and the decision mapped back.

A runtime that stops for a person says so in its own form: LangGraph's HumanInterrupt and the review requests of its
middleware, an interrupt of AG-UI, an A2A task that is input-required, an elicitation of MCP. Each file here turns its
form into `Ask`, and what was decided (`Answer`) into what that runtime waits for. `Ask.requested` is the data of
`approval.requested`, so that everything asked is decided on one page by one set of rules.

Nothing is guessed in anybody's favour: what a form does not say about risk and reversibility is medium and not
reversible, what it does not allow is not offered, and a form that cannot be read is refused by name.
"""

from coordination.interrupts.ask import Answer, Ask, NotAnInterrupt

__all__ = ["Answer", "Ask", "NotAnInterrupt"]
