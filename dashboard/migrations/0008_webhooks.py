"""Webhooks of requests and of alerts become one model: every row is kept, with what it is told of."""

import django.db.models.deletion
from django.db import migrations, models


def unite(apps, schema_editor):
    """Each alert hook becomes a webhook that is told of alerts; one of the same address and secret is told of both."""
    AlertHook, AlertCall = apps.get_model("dashboard", "AlertHook"), apps.get_model("dashboard", "AlertCall")
    Webhook = apps.get_model("dashboard", "Webhook")
    for hook in AlertHook.objects.order_by("pk"):
        webhook = Webhook.objects.filter(url=hook.url, secret=hook.secret, active=hook.active).first()
        if webhook is None:
            name, number = hook.name, 1
            while Webhook.objects.filter(name=name).exists():
                number += 1
                name = f"{hook.name} {number}"
            webhook = Webhook(name=name, url=hook.url, secret=hook.secret, active=hook.active, requests=False)
        webhook.alerts = True
        webhook.save()
        AlertCall.objects.filter(hook=hook).update(webhook=webhook)
    if schema_editor.connection.vendor == "postgresql":
        # Else the columns could not be changed in this transaction any more.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):

    dependencies = [
        ('dashboard', '0007_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='webhook',
            name='requests',
            field=models.BooleanField(default=True, verbose_name='told of requests for approval'),
        ),
        migrations.AddField(
            model_name='webhook',
            name='alerts',
            field=models.BooleanField(default=False, verbose_name='told of alerts'),
        ),
        migrations.RemoveConstraint(
            model_name='alertcall',
            name='one_call_an_alert_and_event',
        ),
        migrations.AddField(
            model_name='alertcall',
            name='webhook',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to='dashboard.webhook'),
        ),
        migrations.RunPython(unite),
        migrations.RemoveField(
            model_name='alertcall',
            name='hook',
        ),
        migrations.DeleteModel(
            name='AlertHook',
        ),
        migrations.AlterField(
            model_name='alertcall',
            name='webhook',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='dashboard.webhook'),
        ),
        migrations.AlterField(
            model_name='webhook',
            name='alerts',
            field=models.BooleanField(default=True, verbose_name='told of alerts'),
        ),
        migrations.AddConstraint(
            model_name='alertcall',
            constraint=models.UniqueConstraint(fields=('alert', 'webhook', 'event'), name='one_call_an_alert_and_event'),
        ),
    ]
