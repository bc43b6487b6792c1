"""The product's settings for tests: nothing of this machine's own configuration, a database of their own, the loopback allowed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SCRATCH = Path(os.environ.setdefault("WARANDPEACE_TEST_DIR", tempfile.mkdtemp(prefix="warandpeace-tests-")))

for name in list(os.environ):
    if name.startswith(("TELEGRAM_", "OPENAI_", "MISTRAL_", "GOOGLE_", "GEMINI_", "LLM_", "CELERY_")):
        del os.environ[name]
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
os.environ |= {"ENV_FILE": os.devnull, "VAR_DIR": str(SCRATCH / "var"), "FETCH_ALLOW_PRIVATE": "on", "SECRET_KEY": "only-for-tests" * 4}

from warandpeace.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
WHITENOISE_AUTOREFRESH = True
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
AXES_ENABLED = False

if IS_EMBEDDED:  # noqa: F405
    # A file, because threads and child processes of the tests open it too.
    DATABASES["default"]["TEST"] = {"NAME": str(SCRATCH / "test.sqlite3")}  # noqa: F405
