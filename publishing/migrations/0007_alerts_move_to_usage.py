"""Alerts of posting become rows among all others, in usage."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def move(apps: Apps, schema: BaseDatabaseSchemaEditor) -> None:
    """Only what tells where it belongs by its key; a matter that is still open otherwise is raised anew."""
    alias = schema.connection.alias  # a transfer makes the schema of a database that is not the configured one
    found = apps.get_model("usage", "Alert").objects.using(alias)
    for old in apps.get_model("publishing", "Alert").objects.using(alias).iterator():
        kind, _, subject = old.key.partition("-")
        code = {"message": "post_unresolved", "bot": "bot_paused", "breaker": "telegram_silent"}.get(kind)
        if code is None:
            continue
        values = {"text": old.text, "count": old.times, "told_at": old.told_at}
        found.get_or_create(code=code, subject=subject, defaults=values)


class Migration(migrations.Migration):
    dependencies = [
        ("publishing", "0006_installation"),
        ("usage", "0005_alerts_of_every_kind"),
    ]

    operations = [
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.DeleteModel("Alert"),
    ]
