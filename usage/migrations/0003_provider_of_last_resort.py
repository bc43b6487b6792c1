"""The offline summariser is there from the start, behind every provider that is added later."""

from django.db import migrations


def add(apps, schema_editor):
    Provider = apps.get_model("usage", "Provider")
    Provider.objects.using(schema_editor.connection.alias).get_or_create(
        name="extractive", defaults={"kind": "extractive", "priority": 1000}
    )


class Migration(migrations.Migration):
    dependencies = [("usage", "0002_only_kinds_that_work")]

    # Backwards the row stays: nothing tells an untouched one from one that an operator has changed.
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
