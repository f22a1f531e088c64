"""Flow: which agent group was seen to write to which topic, and how much."""

from django.db import models


class FlowEdge(models.Model):
    """Records of one agent group ("" is whoever names none) seen on one topic. `seen` counts those looked at since
    `first_at`; `rate` is records a minute at the last look. Instants are µs.
    """

    agent_group = models.TextField()
    topic = models.TextField()
    first_at = models.BigIntegerField()
    last_at = models.BigIntegerField()
    seen = models.BigIntegerField(default=0)
    rate = models.FloatField(default=0.0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["agent_group", "topic"], name="one_edge_a_group_and_topic"),)
