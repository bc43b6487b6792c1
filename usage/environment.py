"""The servers of language models that the environment names, and the secrets it holds for them.

A secret belongs to the server it was given for: it is sent to that scheme, host and port, whoever edits the rows.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps as installed
from django.apps.registry import Apps
from django.conf import settings
from django.db import transaction

from usage.models import ApiKey, Provider
from usage.pricing import LISTED
from usage.schema import is_known

# The offline summariser comes behind every one of these.
FIRST, STEP = 10, 10


@dataclass(frozen=True, slots=True)
class Server:
    """A server of the environment. `is_wanted` is false where nothing was set for it."""

    name: str
    base_url: str
    model: str
    secrets: tuple[str, ...] = field(repr=False)
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What the environment wants a provider's row to say."""

    base_url: str
    model: str
    priority: int


def servers() -> list[Server]:
    """The servers in the order they are asked: LLM_PRIMARY first."""
    listed = [
        _server("gemini", settings.GEMINI_BASE_URL, settings.GEMINI_MODEL, settings.GOOGLE_API_KEYS),
        _server("mistral", settings.MISTRAL_BASE_URL, settings.MISTRAL_MODEL, [settings.MISTRAL_API_KEY]),
        _server("openai", settings.OPENAI_BASE_URL, settings.OPENAI_MODEL, [settings.OPENAI_API_KEY]),
    ]
    return sorted(listed, key=lambda server: server.name != settings.LLM_PRIMARY)


def _server(name: str, base_url: str, model: str, secrets: list[str]) -> Server:
    """A server on this machine or network needs no key: naming it is enough."""
    kept = tuple(dict.fromkeys(filter(None, map(str.strip, secrets))))
    return Server(name, base_url, model, kept, is_wanted=bool(kept) or name == settings.LLM_PRIMARY)


def secrets_for(base_url: str) -> list[str]:
    """The secrets that may be sent to an address, in the order of the environment."""
    return [secret for server in servers() if origin(server.base_url) == origin(base_url) for secret in server.secrets]


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address; an address that has none of them is like no other."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ("", url, None)
    return (parts.scheme, parts.hostname or url, port or {"http": 80, "https": 443}.get(parts.scheme))


def key_hash(secret: str) -> str:
    """What the rows know a secret by: its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()


def sync(*, using: str = "default", apps: Apps = installed, **signal: Any) -> None:
    """Bring the environment's servers and keys into the rows; a receiver of `post_migrate`, harmless at any time.

    What a person has changed in a row since stays as it is, and so does a row whose server has left the environment.
    Where the tables are not yet as we know them (`migrate` of another app, or to an earlier state), nothing is done.
    """
    if not is_known(apps, Provider, ApiKey):
        return
    for place, server in enumerate(servers()):
        if server.is_wanted:
            _sync_provider(server, Wish(server.base_url, server.model, FIRST + STEP * place), using)
    for provider in Provider.objects.using(using).filter(kind=Provider.Kind.OPENAI):
        sync_keys(provider, using=using)


def _sync_provider(server: Server, wish: Wish, using: str) -> None:
    wanted = asdict(wish)
    price_in, price_out = LISTED.get(server.model, (0, 0))
    with transaction.atomic(using=using):
        provider, is_new = Provider.objects.using(using).get_or_create(
            name=server.name,
            defaults=wanted
            | {
                "kind": Provider.Kind.OPENAI,
                "price_in": price_in,
                "price_out": price_out,
                "environment": wanted,
            },
        )
        if is_new or provider.environment == wanted:
            return
        untouched = {
            name: value for name, value in wanted.items() if getattr(provider, name) == provider.environment.get(name)
        }
        Provider.objects.using(using).filter(pk=provider.pk).update(**untouched, environment=wanted)


def sync_keys(provider: Provider, *, using: str = "default") -> None:
    """See to it that each secret of the provider's server has its row."""
    wanted = [key_hash(secret) for secret in secrets_for(provider.base_url)]
    known = set(provider.keys.using(using).values_list("key_hash", flat=True))
    missing = [ApiKey(provider=provider, key_hash=value) for value in wanted if value not in known]
    ApiKey.objects.using(using).bulk_create(missing, ignore_conflicts=True)
