"""Second factors: who must show one, what they see until they have, and what a person keeps of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp_webauthn.models import WebAuthnCredential

from tests.factories import UserFactory
from tests.people import person, signed_in
from warandpeace.signing_in import factors
from warandpeace.signing_in.models import SignIn

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-password"
MINE, SECOND = reverse("signing_in:mine"), reverse("signing_in:second-step")
APP = reverse("signing_in:authenticator")
ADMIN = "/admin/"


def with_app(user: User) -> TOTPDevice:
    """An authenticator app that was set up before."""
    return TOTPDevice.objects.create(user=user, name="app", confirmed=True)


def with_passkey(user: User) -> WebAuthnCredential:
    return WebAuthnCredential.objects.create(user=user, name="old", credential_id=b"id", public_key=b"key")


def code_of(device: TOTPDevice) -> str:
    return f"{totp(device.bin_key):06d}"


def by_password(user: User) -> Client:
    """A browser in which the password was right."""
    if not user.check_password(PASSWORD):  # a new one would end the sessions that are open
        user.set_password(PASSWORD)
        user.save()
    client = Client()
    client.post("/admin/login/", {"username": user.username, "password": PASSWORD, "next": ADMIN})
    return client


def test_without_a_second_factor_the_password_is_enough() -> None:
    assert by_password(person("publisher")).get(ADMIN).status_code == 200


@pytest.mark.parametrize(
    ("demanded", "role", "is_led"),
    [
        ("publishers", "publisher", True),
        ("publishers", "editor", False),
        ("publishers", "operator", False),
        ("everybody", "editor", True),
        ("everybody", "viewer", True),
        ("off", "publisher", False),
    ],
)
def test_who_must_have_one_is_led_to_set_it_up(settings: Any, demanded: str, role: str, is_led: bool) -> None:
    settings.REQUIRE_SECOND_FACTOR = demanded

    answer = signed_in(role).get(ADMIN)

    assert (answer.headers.get("Location") == MINE) is is_led


def test_until_then_nothing_else_can_be_done(settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = "publishers"
    client = signed_in("publisher")
    queue = reverse("admin:publishing_pendingpublication_changelist")

    answers = [client.get(queue), client.post(queue), client.get("/metrics"), client.get("/sandbox/any/")]

    assert {answer.headers.get("Location") for answer in answers} == {MINE}
    assert client.get(MINE).status_code == 200


@pytest.mark.parametrize("factor", [with_app, with_passkey])
def test_who_has_one_must_show_it_even_if_nobody_demands_it(factor: Any) -> None:
    user = person("editor")
    factor(user)

    answer = by_password(user).get(f"{ADMIN}?x=1")

    assert answer.headers["Location"] == f"{SECOND}?next=%2Fadmin%2F%3Fx%3D1"


def test_nobody_adds_a_factor_before_showing_the_one_they_have(settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = "everybody"
    user = person("editor")
    with_passkey(user)
    client = by_password(user)

    answers = [client.post(APP), client.get(MINE), client.post(reverse("signing_in:passkey-add-begin"))]

    assert {answer.headers.get("Location", "").partition("?")[0] for answer in answers} == {SECOND}
    assert not TOTPDevice.objects.exists()


def test_the_code_of_the_app_opens_the_way_once() -> None:
    user = person("editor")
    device = with_app(user)
    client, thief = by_password(user), by_password(user)
    code = code_of(device)

    answer = client.post(SECOND, {"code": code, "next": "/admin/articles/article/"})

    assert answer.headers["Location"] == "/admin/articles/article/"
    assert client.get(ADMIN).status_code == 200
    assert thief.post(SECOND, {"code": code}).status_code == 200
    assert thief.get(ADMIN).status_code == 302


def test_after_the_second_step_nobody_is_sent_to_another_site() -> None:
    user = person("editor")
    code = code_of(with_app(user))

    answer = by_password(user).post(SECOND, {"code": code, "next": "https://evil.example/"})

    assert answer.headers["Location"] == ADMIN


def test_a_recovery_code_opens_the_way_once_however_it_is_typed() -> None:
    user = person("editor")
    with_app(user)
    code = factors.make_recovery_codes(user)[3]
    client, later = by_password(user), by_password(user)

    answers = [client.post(SECOND, {"code": code.upper()}), later.post(SECOND, {"code": code})]

    assert [answer.status_code for answer in answers] == [302, 200]
    assert StaticToken.objects.count() == factors.RECOVERY_CODES - 1


def test_guessed_codes_make_the_next_wait_even_if_it_is_right() -> None:
    user = person("editor")
    device = with_app(user)
    client = by_password(user)
    client.post(SECOND, {"code": "000000"})
    # As after the tenth; after the first it is a second, and the next may come later than that by itself.
    assert TOTPDevice.objects.filter(throttling_failure_count=1).update(throttling_failure_count=10)

    answer = client.post(SECOND, {"code": code_of(device)})

    assert answer.status_code == 200
    assert client.get(ADMIN).status_code == 302


def test_setting_up_an_app_ends_with_recovery_codes(settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = "everybody"
    client = signed_in("editor")
    client.post(APP)
    assert "<svg" in client.get(APP).content.decode()
    device = TOTPDevice.objects.get()

    page = client.post(APP, {"code": code_of(device)}).content.decode()

    assert len(re.findall(r'<code class="wp-code">[a-z2-7 ]{19}</code>', page)) == factors.RECOVERY_CODES
    assert client.get(ADMIN).status_code == 200
    assert device.key not in client.get(MINE).content.decode()


def test_an_app_that_was_never_proved_asks_nobody_for_a_code() -> None:
    client = signed_in("editor")
    client.post(APP)

    wrong = client.post(APP, {"code": "000000"})

    assert wrong.status_code == 200
    assert not TOTPDevice.objects.get().confirmed
    assert client.get(ADMIN).status_code == 200


def test_a_new_factor_signs_out_whoever_came_in_without_it() -> None:
    user = person("editor")
    here, elsewhere = by_password(user), by_password(user)
    here.post(APP)

    here.post(APP, {"code": code_of(TOTPDevice.objects.get())})

    assert here.get(ADMIN).status_code == 200
    assert elsewhere.get(ADMIN).headers["Location"].startswith("/admin/login/")


def test_the_last_factor_stays_with_who_must_have_one(settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = "publishers"
    publisher, editor = person("publisher"), person("editor")
    with_app(publisher), with_app(editor)

    removed = [factors.remove(user) for user in (publisher, editor)]

    assert removed == [False, True]


def test_recovery_codes_go_with_the_last_factor() -> None:
    user = person("editor")
    with_app(user)
    factors.make_recovery_codes(user)

    factors.remove(user)

    assert not StaticDevice.objects.exists()


def test_nobody_removes_somebody_elses_passkey() -> None:
    other = with_passkey(UserFactory())

    signed_in("editor").post(reverse("signing_in:remove"), {"passkey": other.pk})

    assert WebAuthnCredential.objects.filter(pk=other.pk).exists()


def test_what_is_done_to_a_sign_in_is_written_down() -> None:
    user = person("editor")
    with_app(user)
    factors.remove(user)

    entry = LogEntry.objects.get()

    assert (entry.user, entry.object_id, entry.change_message) == (user, str(user.pk), factors.REMOVED_CODES)


def test_an_administrator_lets_somebody_in_who_has_lost_everything() -> None:
    user = person("editor")
    with_app(user), with_passkey(user)
    waiting = by_password(user)
    boss = Client()
    boss.force_login(UserFactory(is_superuser=True))

    boss.post(reverse("admin:auth_user_changelist"), {"action": "remove_second_factors", "_selected_action": [user.pk]})

    assert not factors.has_any(user)
    assert waiting.get(ADMIN).headers["Location"].startswith("/admin/login/")
    assert by_password(user).get(ADMIN).status_code == 200


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_is_listed_with_its_device_and_address() -> None:
    user = person("editor")
    user.set_password(PASSWORD)
    user.save()
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"

    Client(headers={"user-agent": agent}).post("/admin/login/", {"username": user.username, "password": PASSWORD})

    row = SignIn.objects.get()
    assert (row.user, row.device, row.address) == (user, "Firefox, Windows", "127.0.0.1")


def test_a_person_ends_the_other_sessions() -> None:
    user = person("editor")
    here, elsewhere = by_password(user), by_password(user)

    here.post(reverse("signing_in:end-sessions"))

    assert here.get(ADMIN).status_code == 200
    assert elsewhere.get(ADMIN).status_code == 302
    assert SignIn.objects.count() == Session.objects.count() == 1


def test_nobody_ends_somebody_elses_session_by_its_number() -> None:
    signed_in("publisher")
    theirs = SignIn.objects.get()

    signed_in("editor").post(reverse("signing_in:end-sessions"), {"session": theirs.pk})

    assert Session.objects.filter(pk=theirs.session_id).exists()


def test_an_operator_ends_anybodys_session() -> None:
    publisher = signed_in("publisher")
    theirs = SignIn.objects.get()

    signed_in("operator").post(reverse("admin:warandpeace_signin_delete", args=[theirs.pk]), {"post": "yes"})

    assert publisher.get(ADMIN).status_code == 302


def test_the_list_follows_a_session_whose_password_was_changed() -> None:
    user = person("editor")
    client = by_password(user)
    new = "another-long-password"

    client.post(
        reverse("admin:password_change"), {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    )
    client.get(ADMIN)

    assert SignIn.objects.get().session_id == client.session.session_key


def test_being_seen_is_written_once_in_a_while() -> None:
    client = signed_in("editor")
    client.get(MINE)
    before = SignIn.objects.get().seen_at

    client.get(MINE)

    assert SignIn.objects.get().seen_at == before
