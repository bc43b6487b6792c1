"""What receivers of `post_migrate` ask first: has the migration come as far as the code?

`migrate APP` and `migrate APP NAME` end in schemas that this version of the code doesn't know: a table is missing yet,
or a column of it is. There a receiver has nothing to do; the migration that goes to the end calls it again.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import models


def is_known(apps: Apps, *wanted: type[models.Model]) -> bool:
    """Whether these models' tables are as the code has them, in the state `apps` that a migration has reached."""
    return all(_columns(apps, model) == {field.column for field in model._meta.concrete_fields} for model in wanted)


def _columns(apps: Apps, model: type[models.Model]) -> set[str]:
    try:
        return {field.column for field in apps.get_model(model._meta.label)._meta.concrete_fields}
    except LookupError:
        return set()
