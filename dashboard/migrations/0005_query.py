"""What the query line asks by: kinds of folds, workflows, dead letters by group and by time."""

import json
from typing import Any

from django.db import migrations, models


def name_kinds(apps: Any, schema_editor: Any) -> None:
    """Folds that were kept before say what they hold: it stands in their sample."""
    parts = apps.get_model("dashboard", "FoldPart")
    for part in parts.objects.iterator(chunk_size=1000):
        sample = json.loads(part.body).get("sample") or {}
        kind = {"agent_group": sample.get("agent_group", ""), "task_type": sample.get("task_type", "")}
        parts.objects.filter(pk=part.pk).update(**kind)


class Migration(migrations.Migration):

    dependencies = [
        ('dashboard', '0004_notices'),
    ]

    operations = [
        migrations.AddField(
            model_name='foldpart',
            name='agent_group',
            field=models.TextField(default=''),
        ),
        migrations.AddField(
            model_name='foldpart',
            name='task_type',
            field=models.TextField(default=''),
        ),
        migrations.RunPython(name_kinds, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='deadletter',
            index=models.Index(fields=['agent_group', 'at'], name='dead_letter_by_group'),
        ),
        migrations.AddIndex(
            model_name='deadletter',
            index=models.Index(fields=['at'], name='dead_letter_by_time'),
        ),
        migrations.AddIndex(
            model_name='foldpart',
            index=models.Index(fields=['agent_group', 'run_id'], name='fold_by_group'),
        ),
        migrations.AddIndex(
            model_name='foldpart',
            index=models.Index(fields=['task_type', 'run_id'], name='fold_by_type'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['workflow', 'first_at'], name='run_by_workflow'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('retry_of', ''), _negated=True), fields=['run_id', 'retry_of'], name='task_by_retry'),
        ),
    ]
