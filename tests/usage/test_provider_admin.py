"""Providers, keys, budgets and alerts in the admin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.people import signed_in
from tests.usage.conftest import SECRET
from usage.environment import key_hash
from usage.models import Alert, ApiKey, Provider, PurposeBudget

pytestmark = pytest.mark.django_db


def address(provider: Provider) -> str:
    return reverse("admin:usage_provider_change", args=[provider.pk])


def form_of(provider: Provider, **changes: Any) -> dict[str, Any]:
    key = provider.keys.get()
    return {
        "priority": 10,
        "is_enabled": "on",
        "base_url": provider.base_url,
        "model": provider.model,
        "timeout_seconds": 30,
        "max_tokens_out": 900,
        "context_chars": 8_000,
        "concurrency": 4,
        "price_in": "0.1",
        "price_out": "0.3",
        "daily_budget": "5",
        "keys-TOTAL_FORMS": 1,
        "keys-INITIAL_FORMS": 1,
        "keys-0-id": key.pk,
        "keys-0-provider": provider.pk,
        "keys-0-is_enabled": "on",
        "budgets-TOTAL_FORMS": 1,
        "budgets-INITIAL_FORMS": 0,
        "budgets-0-provider": provider.pk,
        "budgets-0-purpose": "digest",
        "budgets-0-daily_budget": "0.5",
    } | changes


def test_a_server_shows_its_keys_by_their_hash(provider_of: Callable[..., Provider]) -> None:
    page = signed_in("operator").get(address(provider_of(SECRET))).content.decode()

    assert key_hash(SECRET)[:8] in page
    assert SECRET not in page
    assert 'name="base_url"' in page


def test_the_offline_summariser_has_no_server_and_no_price() -> None:
    page = signed_in("operator").get(address(Provider.objects.get())).content.decode()

    assert 'name="priority"' in page
    assert 'name="base_url"' not in page
    assert 'name="price_in"' not in page


def test_an_operator_sets_prices_and_budgets(provider_of: Callable[..., Provider]) -> None:
    gemini = provider_of(SECRET)

    saved = signed_in("operator").post(address(gemini), form_of(gemini))

    gemini.refresh_from_db()
    assert saved.status_code == 302
    assert (gemini.daily_budget, gemini.max_tokens_out) == (Decimal(5), 900)
    assert PurposeBudget.objects.get().purpose == "digest"


def test_an_operator_switches_a_key_off(provider_of: Callable[..., Provider]) -> None:
    gemini = provider_of(SECRET)
    form = form_of(gemini)
    del form["keys-0-is_enabled"]

    signed_in("operator").post(address(gemini), form)

    assert not ApiKey.objects.get().is_enabled


def test_saving_a_provider_ends_its_rest(provider_of: Callable[..., Provider]) -> None:
    gemini = provider_of(SECRET)
    Provider.objects.filter(pk=gemini.pk).update(skipped_until=timezone.now() + timedelta(hours=1), skip_reason="503")
    operator = signed_in("operator")

    page = operator.get(address(gemini)).content.decode()
    listed = operator.get("/admin/usage/provider/")
    operator.post(address(gemini), form_of(gemini))

    assert "503" in page
    assert listed.status_code == 200
    assert Provider.objects.get(pk=gemini.pk).skipped_until is None


def test_only_servers_are_added() -> None:
    operator = signed_in("operator")
    form = {
        "name": "local",
        "kind": "openai",
        "priority": 5,
        "is_enabled": "on",
        "base_url": "http://127.0.0.1:11434/v1",
        "model": "qwen3",
        "timeout_seconds": 60,
        "max_tokens_out": 900,
        "context_chars": 8_000,
        "concurrency": 1,
        "price_in": 0,
        "price_out": 0,
    }

    assert operator.post("/admin/usage/provider/add/", form | {"kind": "extractive"}).status_code == 200
    assert operator.post("/admin/usage/provider/add/", form | {"model": ""}).status_code == 200
    assert operator.post("/admin/usage/provider/add/", form).status_code == 302

    assert Provider.objects.get(name="local").kind == Provider.Kind.OPENAI


def test_alerts_are_resolved_by_people() -> None:
    Alert.sound(Alert.Code.KEY_REFUSED, "gemini:12345678", "The server refuses the key (401).")
    alert = Alert.objects.get()
    operator = signed_in("operator")

    page = operator.get("/admin/usage/alert/").content.decode()
    operator.post("/admin/usage/alert/", {"action": "resolve", "_selected_action": [alert.pk]})

    alert.refresh_from_db()
    assert "gemini:12345678" in page
    assert alert.resolved_at is not None


def test_an_alert_that_comes_again_is_open_again() -> None:
    Alert.sound(Alert.Code.KEY_REFUSED, "gemini:12345678", "first")
    Alert.objects.update(resolved_at=timezone.now())

    Alert.sound(Alert.Code.KEY_REFUSED, "gemini:12345678", "second")

    alert = Alert.objects.get()
    assert (alert.count, alert.resolved_at, alert.text) == (2, None, "second")
