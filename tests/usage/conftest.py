"""A server of language models on the loopback, and providers that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings

from tests.fakes.llm_server import LlmServer
from usage import environment
from usage.models import Provider

SECRET = "sk-canary-4f1b7a90c2"


@pytest.fixture
def server() -> Iterator[LlmServer]:
    with LlmServer() as running:
        yield running


@pytest.fixture
def provider_of(server: LlmServer, settings: LazySettings, db: None) -> Callable[..., Provider]:
    """Gives a provider that asks the server with the named keys: `provider_of("a-key", "another", priority=5)`."""

    def make(*keys: str, name: str = "gemini", **fields: object) -> Provider:
        settings.GEMINI_BASE_URL = server.url
        settings.GOOGLE_API_KEYS = list(keys)
        defaults = {"priority": 10, "model": "flash", "price_in": 1, "price_out": 2, "timeout_seconds": 2}
        provider = Provider.objects.create(
            name=name, kind=Provider.Kind.OPENAI, base_url=server.url, **defaults | fields
        )
        environment.sync_keys(provider)
        return provider

    return make
