import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("publishing", "0007_alerts_move_to_usage"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Chat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "token_env",
                    models.CharField(max_length=100, verbose_name="environment variable with the bot's token"),
                ),
                ("chat_id", models.CharField(max_length=64, verbose_name="chat")),
                ("next_call_at", models.DateTimeField(verbose_name="next call not before")),
            ],
            options={
                "verbose_name": "chat",
                "verbose_name_plural": "chats",
            },
        ),
        migrations.CreateModel(
            name="Probe",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(verbose_name="number in the channel")),
                ("audit_chat_id", models.CharField(max_length=64, verbose_name="audit chat")),
                ("looked_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="looked up")),
                (
                    "found",
                    models.CharField(
                        choices=[
                            ("no_answer", "no answer"),
                            ("nothing", "nothing stands there"),
                            ("other", "another post"),
                            ("match", "the post that was looked for"),
                        ],
                        default="no_answer",
                        max_length=10,
                        verbose_name="found",
                    ),
                ),
                ("text", models.TextField(blank=True, verbose_name="its text")),
                (
                    "copy_number",
                    models.BigIntegerField(blank=True, null=True, verbose_name="number of the copy in the audit chat"),
                ),
                ("remove_at", models.DateTimeField(blank=True, null=True, verbose_name="to be removed")),
                ("removed_at", models.DateTimeField(blank=True, null=True, verbose_name="removed")),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="tries to remove it")),
                ("error", models.TextField(blank=True, verbose_name="why it was not removed")),
            ],
            options={
                "verbose_name": "look into a channel",
                "verbose_name_plural": "looks into channels",
                "ordering": ["id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="message",
            name="unique_part_of_publication",
        ),
        migrations.AddField(
            model_name="historicalpublication",
            name="ignores_quiet_hours",
            field=models.BooleanField(db_default=False, default=False, verbose_name="even in quiet hours"),
        ),
        migrations.AddField(
            model_name="installation",
            name="epoch",
            field=models.PositiveIntegerField(db_default=1, default=1, verbose_name="epoch"),
        ),
        migrations.AddField(
            model_name="message",
            name="action",
            field=models.CharField(
                choices=[("send", "post"), ("edit", "edit"), ("delete", "delete")],
                db_default="send",
                default="send",
                max_length=10,
                verbose_name="action",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="change",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="change"),
        ),
        migrations.AddField(
            model_name="message",
            name="target",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The message that is edited or deleted.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="changes",
                to="publishing.message",
                verbose_name="post",
            ),
        ),
        migrations.AddField(
            model_name="publication",
            name="ignores_quiet_hours",
            field=models.BooleanField(db_default=False, default=False, verbose_name="even in quiet hours"),
        ),
        migrations.AlterField(
            model_name="historicalpublication",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "draft"),
                    ("pending", "awaits approval"),
                    ("approved", "approved"),
                    ("sending", "being sent"),
                    ("changing", "being changed"),
                    ("published", "published"),
                    ("held", "held"),
                    ("rejected", "rejected"),
                    ("failed", "failed"),
                    ("edited", "edited in the channel"),
                    ("deleted", "deleted from the channel"),
                ],
                default="pending",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="publication",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "draft"),
                    ("pending", "awaits approval"),
                    ("approved", "approved"),
                    ("sending", "being sent"),
                    ("changing", "being changed"),
                    ("published", "published"),
                    ("held", "held"),
                    ("rejected", "rejected"),
                    ("failed", "failed"),
                    ("edited", "edited in the channel"),
                    ("deleted", "deleted from the channel"),
                ],
                default="pending",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=models.Q(("target__isnull", False)), fields=["target"], name="message_target"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                fields=("publication", "change", "ordinal"), name="unique_part_of_change"
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("action", "send"), ("target__isnull", True)),
                    models.Q(("message_id__isnull", False), ("target__isnull", False)),
                    _connector="OR",
                ),
                name="correction_has_its_post",
            ),
        ),
        migrations.AddConstraint(
            model_name="chat",
            constraint=models.UniqueConstraint(fields=("token_env", "chat_id"), name="unique_chat_of_bot"),
        ),
        migrations.AddField(
            model_name="probe",
            name="attempt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="probes",
                to="publishing.attempt",
                verbose_name="attempt",
            ),
        ),
        migrations.AddIndex(
            model_name="probe",
            index=models.Index(
                condition=models.Q(("remove_at__isnull", False)), fields=["remove_at"], name="probe_to_be_removed"
            ),
        ),
    ]
