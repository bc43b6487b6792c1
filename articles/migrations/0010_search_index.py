from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from articles.search.finding import index_of


def create(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The articles that are there are noted as changed: the worker indexes them, the newest first."""
    index = index_of(schema_editor.connection)
    index.create()
    index.watch()
    schema_editor.execute(
        "INSERT INTO articles_changedtext (article_id) SELECT id FROM articles_article ORDER BY id DESC"
    )


def drop(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    index_of(schema_editor.connection).drop()


class Migration(migrations.Migration):
    dependencies = [("articles", "0009_pictures")]

    operations = [migrations.RunPython(create, drop)]
