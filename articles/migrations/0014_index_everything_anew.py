from django.db import migrations

# The index has learnt the sources of articles and which words stand side by side. Until the worker has followed these
# notes, the newest articles first, what it hasn't reached isn't found by a phrase (PostgreSQL) or within one source.
NOTE_ALL = """
INSERT INTO articles_changedtext (article_id)
SELECT id FROM articles_article LEFT JOIN (SELECT DISTINCT article_id FROM articles_changedtext) noted
ON noted.article_id = id WHERE noted.article_id IS NULL ORDER BY id DESC
"""


class Migration(migrations.Migration):
    dependencies = [("articles", "0013_prompts_for_shorter_texts")]

    operations = [migrations.RunSQL(NOTE_ALL, migrations.RunSQL.noop)]
