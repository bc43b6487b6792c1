"""The project: settings, the Celery application, the dashboard, health, metrics and what spans the apps."""

from warandpeace.celery import app as celery_app

__all__ = ["celery_app"]
