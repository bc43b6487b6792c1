"""The bot's token is in no row, whatever befalls a call."""

from __future__ import annotations

import pytest

from articles.models import DeadLetter
from publishing import delivery
from publishing.models import Attempt, Bot, Channel, Message, Publication
from tests.fakes.bot_api import BotApi, Fault
from tests.publishing.outbox import TOKEN, approved, telegram
from usage.models import Alert

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HANG], ids=lambda fault: fault.name)
def test_the_token_is_in_no_row(api: BotApi, fault: Fault) -> None:
    api.faults.append(fault)
    publication = approved(telegram())

    delivery.deliver(publication.channel_id)

    models = (Alert, Attempt, Bot, Message, Publication, Channel, DeadLetter, Publication.history.model)
    rows = str([list(model.objects.values()) for model in models])
    assert Attempt.objects.exists()
    assert TOKEN.partition(":")[2] not in rows
