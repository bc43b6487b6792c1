"""The bot's token is in no row, no page, no metric, no log line and no error, whatever befalls a call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from articles.models import DeadLetter
from publishing import delivery
from publishing.models import Attempt, Bot, Channel, Message, PendingPublication, Publication
from tests.fakes.bot_api import BotApi, Fault
from tests.publishing.outbox import TOKEN, approved, telegram
from usage.models import Alert

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = TOKEN.partition(":")[2]
FAULTS = [fault for fault in Fault if fault is not Fault.HANG]
MODELS = (Alert, Attempt, Bot, Message, Publication, Channel, DeadLetter, Publication.history.model)
PAGES = (Alert, Bot, Message, Publication, PendingPublication, Channel, DeadLetter)


def addresses() -> Iterator[str]:
    """Each list, and the page of each row in it, as an administrator may open them."""
    yield from (reverse(name) for name in ("admin:index", "metrics"))
    for model in PAGES:
        label = f"admin:{model._meta.label_lower.replace('.', '_')}"
        yield reverse(f"{label}_changelist")
        yield from (reverse(f"{label}_change", args=[row.pk]) for row in model._default_manager.all())


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_token_is_nowhere(
    api: BotApi, admin_client: Client, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    api.faults.append(fault)
    publication = approved(telegram())

    delivery.deliver(publication.channel_id)

    rows = str([list(model._default_manager.values()) for model in MODELS])
    pages = {address: admin_client.get(address, follow=True) for address in addresses()}
    assert Attempt.objects.exists()
    assert {page.status_code for page in pages.values()} == {200}
    assert SECRET not in rows + caplog.text
    assert [address for address, page in pages.items() if SECRET.encode() in page.content] == []
