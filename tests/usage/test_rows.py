"""The rows of the admin's lists are what the theme would write, and are made at once."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from django.test import Client
from django.utils.html import format_html
from unfold.templatetags import unfold_list

from tests.factories import PictureFactory, PublicationFactory, UserFactory
from usage.models import Alert, ApiUsageEvent
from usage.rows import PLACES, Rows, form_of

pytestmark = pytest.mark.django_db

ARTICLES = "/admin/articles/article/"


@pytest.fixture
def client() -> Client:
    """Somebody who may see everything, and there is something to see."""
    PublicationFactory(title="<b>{0} & {}</b>")
    PictureFactory()
    Alert.sound("test", "", "Something <b>{is}</b> wrong.")
    ApiUsageEvent.objects.create(provider="mistral")
    signed_in = Client()
    signed_in.force_login(UserFactory(is_superuser=True))
    return signed_in


def changes_of(client: Client, address: str) -> Any:
    response: Any = client.get(address)
    return response.context_data["cl"]


@pytest.mark.parametrize(
    "address",
    [
        ARTICLES,
        f"{ARTICLES}?language=ru&o=3",
        f"{ARTICLES}?_popup=1",
        "/admin/articles/picture/",
        "/admin/articles/source/",
        "/admin/auth/user/",
        "/admin/publishing/channel/",
        "/admin/publishing/pendingpublication/",
        "/admin/publishing/publication/",
        "/admin/usage/alert/",
        "/admin/usage/apiusageevent/",
    ],
)
def test_a_row_is_letter_by_letter_the_themes(client: Client, address: str) -> None:
    changes = changes_of(client, address)

    rows = [list(row) for row in Rows(changes, list(unfold_list.result_headers(changes)))]

    assert rows
    assert rows == [list(row) for row in unfold_list.results(changes)]


def test_heads_are_made_once_for_all_rows(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    PublicationFactory.create_batch(3)
    heads = Mock(wraps=unfold_list.result_headers)
    monkeypatch.setattr(unfold_list, "result_headers", heads)

    client.get(ARTICLES)

    assert heads.call_count == 1


def test_braces_of_a_template_stay_what_they_are() -> None:
    form = form_of(f'<p x-data="{{open: false}}">{PLACES[0]}</p>')

    assert format_html(form, "<b>{}") == '<p x-data="{open: false}">&lt;b&gt;{}</p>'
