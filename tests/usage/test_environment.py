from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings

from usage import environment
from usage.environment import key_hash, secrets_for, sync
from usage.models import ApiKey, Provider
from warandpeace.logs import configured_secrets

pytestmark = pytest.mark.django_db


def rows() -> dict[str, tuple[str, str, int]]:
    servers = Provider.objects.filter(kind=Provider.Kind.OPENAI)
    return {server.name: (server.base_url, server.model, server.priority) for server in servers}


@pytest.fixture
def keys(settings: LazySettings) -> LazySettings:
    settings.GOOGLE_API_KEYS = ["google-one", "google-two", "google-one", " "]
    settings.MISTRAL_API_KEY = "mistral-key"
    return settings


def test_without_keys_there_are_no_servers() -> None:
    sync()

    assert rows() == {}


def test_servers_with_keys_become_rows(keys: Any) -> None:
    sync()

    assert rows() == {
        "gemini": (keys.GEMINI_BASE_URL, "gemini-2.5-flash", 10),
        "mistral": (keys.MISTRAL_BASE_URL, "mistral-small-latest", 20),
    }
    assert Provider.objects.get(name="gemini").price_in > 0


def test_a_server_on_ones_own_machine_needs_only_its_name(keys: Any) -> None:
    keys.LLM_PRIMARY, keys.OPENAI_BASE_URL, keys.OPENAI_MODEL = "openai", "http://127.0.0.1:11434/v1", "qwen3"

    sync()

    assert rows()["openai"] == ("http://127.0.0.1:11434/v1", "qwen3", 10)
    assert Provider.objects.order_by("priority").first() == Provider.objects.get(name="openai")


def test_only_a_hash_of_each_key_is_kept(keys: Any) -> None:
    sync()

    assert set(ApiKey.objects.values_list("provider__name", "key_hash")) == {
        ("gemini", key_hash("google-one")),
        ("gemini", key_hash("google-two")),
        ("mistral", key_hash("mistral-key")),
    }


def test_a_second_time_changes_nothing(keys: Any) -> None:
    sync()
    before = (list(Provider.objects.values()), list(ApiKey.objects.values()))

    sync()

    assert (list(Provider.objects.values()), list(ApiKey.objects.values())) == before


def test_the_environment_moves_what_nobody_has_touched(keys: Any) -> None:
    sync()
    keys.GEMINI_MODEL, keys.LLM_PRIMARY = "gemini-3", "mistral"

    sync()

    assert rows()["gemini"][1:] == ("gemini-3", 20)
    assert rows()["mistral"][2] == 10


def test_what_a_person_has_changed_is_kept(keys: Any) -> None:
    sync()
    Provider.objects.filter(name="gemini").update(model="gemini-2.5-pro", is_enabled=False, priority=70)
    ApiKey.objects.filter(provider__name="gemini").update(is_enabled=False)
    keys.GEMINI_MODEL, keys.GEMINI_BASE_URL = "gemini-3", "https://proxy.example/v1"

    sync()

    assert rows()["gemini"] == ("https://proxy.example/v1", "gemini-2.5-pro", 70)
    assert not Provider.objects.get(name="gemini").is_enabled
    assert not ApiKey.objects.filter(provider__name="gemini", is_enabled=True).exists()


def test_a_key_goes_to_its_own_server_only(keys: Any) -> None:
    own = keys.MISTRAL_BASE_URL

    assert secrets_for(own + "/other/path") == ["mistral-key"]
    for other in ("https://evil.example/v1", own.replace("https", "http"), own.replace(".ai", ".ai:8443"), "", "x://["):
        assert secrets_for(other) == []


def test_a_persons_provider_shares_the_keys_of_its_server(keys: Any) -> None:
    large = Provider.objects.create(
        name="mistral-large", kind=Provider.Kind.OPENAI, base_url=keys.MISTRAL_BASE_URL, model="mistral-large-latest"
    )

    sync()

    assert [key.key_hash for key in large.keys.all()] == [key_hash("mistral-key")]


def test_secrets_are_known_to_the_logs_and_not_shown(keys: Any) -> None:
    assert {"google-one", "google-two", "mistral-key"} <= configured_secrets()
    assert "google-one" not in repr(environment.servers())


def test_tables_of_an_earlier_state_are_left_alone(keys: Any) -> None:
    class Earlier:
        def get_model(self, *_name: str) -> None:
            raise LookupError

    sync(apps=Earlier())  # type: ignore[arg-type]

    assert rows() == {}


def test_tables_without_our_newest_columns_are_left_alone(keys: Any) -> None:
    class Earlier:
        def get_model(self, *_name: str) -> type[ApiKey]:
            return ApiKey  # a table that has other columns than a provider's

    sync(apps=Earlier())  # type: ignore[arg-type]

    assert rows() == {}
