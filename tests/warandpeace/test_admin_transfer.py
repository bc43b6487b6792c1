"""Transfers in the admin: read-only, with their account and their quarantine."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from warandpeace.transfer.models import CorrectedRow, QuarantinedRow, Transfer

pytestmark = pytest.mark.django_db

ACCOUNT = {"count": 12, "transferred": 9, "merged": 1, "quarantined": 2, "skipped": {}, "holds": True}


@pytest.fixture
def transfer() -> Transfer:
    report = {"tables": {"articles": ACCOUNT}}
    values = {"source": "old.db", "target": "here", "state": Transfer.State.PROVED, "report": report}
    return Transfer.objects.create(origin="o", batch_size=500, **values)


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("operator"))
    return client


def test_the_list_shows_what_came_of_each(operator: Client, transfer: Transfer) -> None:
    page = operator.get(reverse("admin:warandpeace_transfer_changelist")).content.decode()

    assert "old.db" in page
    assert ">9<" in page


def test_a_transfer_shows_its_account_and_its_quarantine(operator: Client, transfer: Transfer) -> None:
    row = {"stream": "articles", "source_key": "17", "reason": "title <b>is</b> empty", "cell": "0"}
    QuarantinedRow.objects.create(transfer=transfer, origin="o", **row)

    page = operator.get(reverse("admin:warandpeace_transfer_change", args=[transfer.pk])).content.decode()

    assert ">12<" in page
    assert "title &lt;b&gt;is&lt;/b&gt; empty" in page


def test_a_transfer_shows_the_rows_that_were_put_right(operator: Client, transfer: Transfer) -> None:
    row = {"stream": "articles", "source_key": "17", "values": {"title": "<Порт>"}}
    CorrectedRow.objects.create(transfer=transfer, origin="o", **row)

    page = operator.get(reverse("admin:warandpeace_transfer_change", args=[transfer.pk])).content.decode()

    assert "&lt;Порт&gt;" in page


def test_a_row_in_quarantine_shows_its_original_values(operator: Client, transfer: Transfer) -> None:
    values = {"stream": "articles", "source_key": "17", "reason": "r", "cell": "0", "original": {"url": "<x>"}}
    row = QuarantinedRow.objects.create(transfer=transfer, origin="o", **values)

    page = operator.get(reverse("admin:warandpeace_quarantinedrow_change", args=[row.pk])).content.decode()

    assert "&quot;url&quot;: &quot;&lt;x&gt;&quot;" in page


@pytest.mark.parametrize("model", ["transfer", "quarantinedrow"])
def test_nothing_can_be_added(operator: Client, model: str) -> None:
    assert operator.get(reverse(f"admin:warandpeace_{model}_add")).status_code == 403
