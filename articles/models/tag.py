"""What articles are about: tags, who gave them, and the rules by which they are given."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from articles.models.source import Source

MAX_NAME = 100
TRANSLITERATED = str.maketrans(
    dict(
        zip(
            "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
            "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch|| y| e yu ya".replace("||", " ")
            .replace("|", " ")
            .split(" "),
            strict=False,
        )
    )
)
