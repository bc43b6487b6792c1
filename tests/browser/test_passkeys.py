"""Passkeys in a real browser, with an authenticator that Chromium plays."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.models import User
from django_otp_webauthn.models import WebAuthnCredential
from playwright.sync_api import Page, expect
from webauthn.helpers import encode_cbor

from tests.people import person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.either_database]

PASSWORD = "a-long-enough-password"


@pytest.fixture
def site(live_server: Any, settings: Any) -> str:
    """The address of the server under the domain that passkeys are for."""
    settings.OTP_WEBAUTHN_RP_ID = "localhost"
    return str(live_server.url)


@pytest.fixture
def authenticator(page: Page) -> Iterator[Any]:
    """A security key with a touch and a PIN, plugged in; a function that speaks to it."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    number = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    yield lambda verb, **values: devtools.send(f"WebAuthn.{verb}", {"authenticatorId": number, **values})
    devtools.detach()


def publisher() -> User:
    user = person("publisher")
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(page: Page, site: str, user: User) -> None:
    page.goto(f"{site}/admin/login/?next=/admin/")
    page.locator("input[name=username]").fill(user.username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("#login-form button[type=submit]").click()
    # The page after it has a button for passkeys, too.
    expect(page.locator("input[name=password]")).to_have_count(0)


def sign_out(page: Page, site: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{site}/admin/login/?next=/admin/articles/article/")


def transferred(user: User, authenticator: Any) -> WebAuthnCredential:
    """A passkey as a transfer brings it from the old bot's file; its key is in the authenticator."""
    key, number = ec.generate_private_key(ec.SECP256R1()), b"an-old-passkey--"
    point = key.public_key().public_numbers()
    cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    credential = {
        "credentialId": b64encode(number).decode(),
        "isResidentCredential": True,
        "rpId": "localhost",
        "userHandle": b64encode(user.username.encode()).decode(),
        "privateKey": b64encode(private).decode(),
        "signCount": 7,
    }
    authenticator("addCredential", credential=credential)
    return WebAuthnCredential.objects.create(
        user=user, name="Passkey", credential_id=number, public_key=encode_cbor(cose), sign_count=7, transports=[]
    )


def test_a_passkey_is_added_and_then_opens_the_door_alone(
    page: Page, site: str, authenticator: Any, settings: Any
) -> None:
    settings.REQUIRE_SECOND_FACTOR = "publishers"
    sign_in(page, site, publisher())

    expect(page.locator(".wp-notice")).to_be_visible()
    page.locator("[data-passkey=add]").click()
    expect(page.locator(".wp-notice")).to_have_count(0)
    sign_out(page, site)
    page.locator("[data-passkey=show]").click()

    expect(page).to_have_url(f"{site}/admin/articles/article/")
    assert WebAuthnCredential.objects.get().last_used_at is not None


def test_a_passkey_is_shown_after_the_password(page: Page, site: str, authenticator: Any) -> None:
    user = publisher()
    transferred(user, authenticator)

    sign_in(page, site, user)
    page.locator("[data-passkey=show]").click()

    expect(page).to_have_url(f"{site}/admin/")
    assert WebAuthnCredential.objects.get().sign_count > 7


def test_a_transferred_passkey_opens_the_door_alone(page: Page, site: str, authenticator: Any) -> None:
    transferred(publisher(), authenticator)
    sign_out(page, site)

    page.locator("[data-passkey=show]").click()

    expect(page).to_have_url(f"{site}/admin/articles/article/")


def test_at_another_name_of_the_site_nobody_is_offered_a_passkey(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url.replace('localhost', '127.0.0.1')}/admin/login/")

    expect(page.locator("#passkey-elsewhere")).to_be_visible()
    expect(page.locator("[data-passkey]")).to_be_hidden()
