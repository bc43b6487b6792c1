"""What the reconciler has found stood in a column of the attempt, and gets rows of its own."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def into_rows(apps: Any, schema_editor: Any) -> None:
    attempt_model, probe = apps.get_model("publishing", "Attempt"), apps.get_model("publishing", "Probe")
    alias = schema_editor.connection.alias
    attempts = attempt_model.objects.using(alias).exclude(findings=[]).select_related("message__channel")
    for attempt in attempts.iterator(chunk_size=500):
        probe.objects.using(alias).bulk_create(
            probe(
                attempt=attempt,
                number=finding["number"],
                text=finding["text"],
                audit_chat_id=attempt.message.channel.audit_chat_id,
                looked_at=attempt.finished_at or attempt.started_at,
                found="match" if finding["number"] == attempt.message.message_id else "other",
            )
            for finding in attempt.findings
        )


def into_columns(apps: Any, schema_editor: Any) -> None:
    probe = apps.get_model("publishing", "Probe")
    rows = probe.objects.using(schema_editor.connection.alias).exclude(text="")
    for row in rows.select_related("attempt").order_by("id").iterator(chunk_size=500):
        row.attempt.refresh_from_db()
        row.attempt.findings = [*row.attempt.findings, {"number": row.number, "text": row.text}]
        row.attempt.save(update_fields=["findings"])


class Migration(migrations.Migration):
    dependencies = [("publishing", "0008_changes_after_the_post")]

    operations = [migrations.RunPython(into_rows, into_columns, elidable=True)]
