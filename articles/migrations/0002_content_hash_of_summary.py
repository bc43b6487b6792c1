from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("articles", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="summary",
            name="content_hash",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="As it was summarised.",
                max_length=64,
                verbose_name="hash of the article's text",
            ),
            preserve_default=True,
        ),
    ]
