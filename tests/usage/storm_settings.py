"""The tests' settings in a process that a test starts: its server of language models is in the environment."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403

GEMINI_BASE_URL = os.environ["STORM_URL"]
GOOGLE_API_KEYS = ["one-key", "another-key"]
