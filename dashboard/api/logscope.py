"""What a caller of the log's HTTP face may do: read or write a topic, join a group, manage topics.

The token's scope decides, and above it two rules hold whatever a token says: the review class is never read
here, and asking for approval is the one thing that may be written to it.
"""

from collections.abc import Iterable
from typing import Final, Protocol

from coordination.errors import LogDenied

RESERVED_GROUPS: Final = "lineside."
WRITABLE_REVIEW: Final = "review.approval.commands"


class TopicScope(Protocol):
    """What `request.auth` must offer."""

    def allows_topic(self, name: str, write: bool) -> bool:
        """Whether the caller may read the topic, or write to it."""
        ...


class Caller:
    """The caller's rights on topics. Every method raises LogDenied."""

    def __init__(self, scope: TopicScope) -> None:
        self._scope = scope

    def sees(self, topic: str) -> bool:
        """Whether the topic may be read."""
        return "review" not in topic.split(".") and self._scope.allows_topic(topic, write=False)

    def writes(self, topic: str) -> bool:
        """Whether the topic may be written to."""
        closed = "review" in topic.split(".") and not topic.endswith(WRITABLE_REVIEW)
        return not closed and self._scope.allows_topic(topic, write=True)

    def may_read(self, topics: Iterable[str]) -> None:
        """Refuse unless all of the topics may be read."""
        for topic in topics:
            if not self.sees(topic):
                raise LogDenied(f"This token may not read topic {topic}.", code="topic_denied")

    def may_write(self, topics: Iterable[str]) -> None:
        """Refuse unless all of the topics may be written to."""
        for topic in topics:
            if not self.writes(topic):
                raise LogDenied(f"This token may not write to topic {topic}.", code="topic_denied")

    def may_manage(self) -> None:
        """Refuse unless topics may be created and deleted."""
        if not getattr(self._scope, "manages_topics", False):
            raise LogDenied(
                "This token may not create or delete topics; `manage.py topics --apply` does.", code="topics_denied"
            )

    def may_join(self, group: str) -> None:
        """Refuse the dashboard's own groups, and names no group can have."""
        if not 0 < len(group) <= 255:
            raise LogDenied("A group's name has 1 to 255 characters.", code="invalid_group")
        if group.startswith(RESERVED_GROUPS):
            raise LogDenied(f"Group {group} belongs to the dashboard.", code="group_denied")
