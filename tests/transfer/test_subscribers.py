"""What was on its way to subscribers is not sent by the database that it was transferred to."""

from __future__ import annotations

import pytest

from publishing.models import Delivery, Mailing
from warandpeace.transfer.own_stream import held
from warandpeace.transfer.tables import Table


@pytest.mark.parametrize(
    ("model", "state", "arrives"),
    [
        (Mailing, "making", "skipped"),
        (Mailing, "made", "made"),
        (Delivery, "ready", "skipped"),
        (Delivery, "claimed", "skipped"),
        (Delivery, "sending", "sending"),
        (Delivery, "sent", "sent"),
    ],
)
def test_what_was_not_sent_is_skipped(model: type[Mailing | Delivery], state: str, arrives: str) -> None:
    table = Table(model)
    row = [state if name == "state" else None for name in table.columns]

    arrived = dict(zip(table.columns, held(table, row), strict=True))

    assert arrived["state"] == arrives
