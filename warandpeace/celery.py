"""The Celery application. Tasks are doorbells: losing all of them costs seconds, because the sweeper rings again."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "warandpeace.settings")

app = Celery("warandpeace")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
