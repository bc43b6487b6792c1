"""The product's settings for tests: nothing of this machine's configuration, an own database, the loopback allowed."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

OURS = (
    "TELEGRAM_",
    "BACKUP_",
    "OPENAI_",
    "MISTRAL_",
    "GOOGLE_",
    "GEMINI_",
    "LLM_",
    "CELERY_",
    "LOG_",
    "METRICS_",
    "PROMETHEUS_",
)


def scratch_folder() -> Path:
    """The folder of this run's files: a process that tests start uses its parent's, a worker of xdist has its own."""
    if "WARANDPEACE_TEST_DIR" not in os.environ:
        os.environ["WARANDPEACE_TEST_DIR"] = tempfile.mkdtemp(prefix="warandpeace-tests-")
        atexit.register(shutil.rmtree, os.environ["WARANDPEACE_TEST_DIR"], ignore_errors=True)
    return Path(os.environ["WARANDPEACE_TEST_DIR"], os.environ.get("PYTEST_XDIST_WORKER", "alone"))


SCRATCH = scratch_folder()

for name in list(os.environ):
    if name.startswith(OURS):
        del os.environ[name]
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
os.environ |= {
    "ENV_FILE": os.devnull,
    "VAR_DIR": str(SCRATCH / "var"),
    "FETCH_ALLOW_PRIVATE": "on",
    "SECRET_KEY": "only-for-tests" * 4,
}

from warandpeace.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
WHITENOISE_AUTOREFRESH = True
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
AXES_ENABLED = False
# What is approved goes out at once, but where a test is about undoing.
UNDO_SECONDS = 0
# The fake server has no limits but those a test asks for.
TELEGRAM_SECONDS_BETWEEN_MESSAGES = 0
TELEGRAM_MESSAGES_PER_MINUTE = TELEGRAM_MESSAGES_PER_SECOND = 1_000_000

if IS_EMBEDDED:  # noqa: F405
    # A file, because threads and child processes of the tests open it too.
    DATABASES["default"]["TEST"] = {"NAME": str(SCRATCH / "test.sqlite3")}  # noqa: F405
