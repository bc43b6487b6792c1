"""Stories: articles whose texts are copies of one of them, side by side."""

from __future__ import annotations

from django.contrib import admin

from articles.models import Story
from usage.listing import LargeTableAdmin


@admin.register(Story)
class StoryAdmin(LargeTableAdmin):
    list_display = ("id", "created_at")
