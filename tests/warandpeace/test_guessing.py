"""Limits on guessing: per name and address, over all names, over all addresses; who is believed about an address."""

from __future__ import annotations

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test import Client, RequestFactory
from django.urls import reverse

from tests.factories import UserFactory
from tests.warandpeace.test_signing_in import ADMIN, PASSWORD, SECOND, by_password, code_of, with_app
from warandpeace.signing_in import guessing

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def axes(settings: Any) -> None:
    settings.AXES_ENABLED = True
    settings.SIGN_INS_PER_MINUTE = 10_000


def send(client: Client, name: str, password: str, **headers: str) -> int:
    answer = client.post(LOGIN, {"username": name, "password": password, "next": ADMIN}, headers=headers)
    return answer.status_code


def known(name: str = "olga") -> str:
    user = UserFactory(username=name)
    user.set_password(PASSWORD)
    user.save()
    return name


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "6.6.6.6", "127.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7", "127.0.0.1"),
        (1, "", "127.0.0.1"),
    ],
)
def test_only_our_own_proxies_say_where_somebody_comes_from(
    settings: Any, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"x-forwarded-for": forwarded})

    assert guessing.client_address(request) == address


def test_a_name_is_locked_for_an_address_after_ten_wrong_passwords(client: Client) -> None:
    name = known()

    wrong = [send(client, name, "wrong") for _ in range(10)]

    assert (wrong[0], wrong[-1]) == (200, 429)
    assert send(client, name, PASSWORD) == 429


def test_a_forged_address_does_not_unlock(client: Client, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    name = known()

    for guess in range(10):
        send(client, name, "wrong", x_forwarded_for=f"6.6.6.{guess}, 203.0.113.7")

    assert send(client, name, PASSWORD, x_forwarded_for="8.8.8.8, 203.0.113.7") == 429
    assert send(client, name, PASSWORD, x_forwarded_for="203.0.113.8") == 302


def test_many_names_from_one_address_lock_the_address(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(guessing, "FAILURES_OF_ADDRESS", 5)
    name = known()

    for guess in range(5):
        send(client, f"name{guess}", "wrong")

    assert send(client, name, PASSWORD) == 429


def test_one_name_from_many_addresses_locks_the_name(client: Client, settings: Any, monkeypatch: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    monkeypatch.setattr(guessing, "FAILURES_OF_NAME", 5)
    name = known()

    for guess in range(5):
        send(client, name, "wrong", x_forwarded_for=f"203.0.113.{guess}")

    assert send(client, name, PASSWORD, x_forwarded_for="203.0.113.99") == 429
    assert send(client, known("ivan"), PASSWORD, x_forwarded_for="203.0.113.99") == 302


def test_wrong_codes_count_like_wrong_passwords() -> None:
    user = UserFactory()
    device = with_app(user)
    client = by_password(user)

    for _ in range(10):
        client.post(SECOND, {"code": "000000"})
    type(device).objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)

    assert client.post(SECOND, {"code": code_of(device)}).status_code == 429


def test_codes_are_not_kept_with_the_failure() -> None:
    user = UserFactory()
    with_app(user)

    by_password(user).post(SECOND, {"code": "123456"})

    assert "123456" not in AccessAttempt.objects.get().post_data


def test_a_passkey_that_proves_nothing_counts_too(client: Client) -> None:
    client.post(reverse("signing_in:passkey-begin"), {}, content_type="application/json")

    answer = client.post(
        reverse("signing_in:passkey-complete"), {"id": "a", "rawId": "YQ"}, content_type="application/json"
    )

    assert 400 <= answer.status_code < 429
    assert AccessAttempt.objects.get().failures_since_start == 1


@pytest.mark.parametrize("address", [LOGIN, reverse("signing_in:passkey-begin")])
def test_who_asks_too_fast_is_told_to_wait(client: Client, settings: Any, address: str) -> None:
    settings.SIGN_INS_PER_MINUTE = 3

    answers = [client.post(address, {}).status_code for _ in range(4)]

    # A minute may have ended in between: then the fourth is the first of the next.
    assert answers[-1] == 429 or len(set(answers)) == 1
