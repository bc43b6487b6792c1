from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue

from warandpeace import broker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    broker.clear(tmp_path)
    return tmp_path


@pytest.fixture
def queue(folder: Path) -> Iterator[SimpleQueue]:
    options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder / "control"}
    with (
        Connection("filesystem://", transport=broker.Transport, transport_options=options) as connection,
        connection.SimpleQueue(broker.QUEUES[0]) as queue,
    ):
        yield queue


def messages(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_file()]


def test_messages_come_out_in_the_order_they_went_in(queue):
    for number in range(5):
        queue.put({"number": number})
        time.sleep(0.002)

    received = [queue.get(timeout=30) for _ in range(5)]

    assert [message.payload["number"] for message in received] == [0, 1, 2, 3, 4]


def test_nothing_of_a_taken_message_stays(queue, folder):
    queue.put({"number": 1})

    queue.get(timeout=30).ack()

    assert messages(folder) == []


def test_a_message_is_taken_once(queue):
    queue.put({"number": 1})

    queue.get(timeout=30).ack()

    with pytest.raises(queue.Empty):
        queue.get(timeout=0.05)


@pytest.mark.parametrize("rubbish", [b"", b"{half", b"\xff\xfe"])
def test_a_file_that_is_no_message_is_dropped(queue, folder, rubbish):
    (folder / f"000_rubbish.{broker.QUEUES[0]}.msg").write_bytes(rubbish)
    queue.put({"number": 1})

    assert queue.get(timeout=30).payload == {"number": 1}
    assert messages(folder) == []


def test_a_folder_among_the_messages_stops_nobody(queue, folder):
    (folder / f"000_folder.{broker.QUEUES[0]}.msg").mkdir()
    queue.put({"number": 1})

    assert queue.get(timeout=30).payload == {"number": 1}


def test_a_message_being_written_is_not_seen(queue, folder):
    hidden = folder / f".000_hidden.{broker.QUEUES[0]}.msg"
    hidden.write_text("{half")

    with pytest.raises(queue.Empty):
        queue.get(timeout=0.05)

    assert hidden.exists()


def test_clearing_removes_whatever_was_left(folder):
    (folder / "0_a.celery.msg").write_text("{}")
    (folder / ".1_b.celery.msg.taken").write_text("{}")

    broker.clear(folder)

    assert messages(folder) == []
    assert (folder / "control" / "celery.exchange").is_file()


def test_only_old_messages_are_pruned(folder):
    for name, age in (("old", 700), ("new", 5)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age,) * 2)

    pruned = broker.prune(folder, older_than=600)

    assert pruned == 1
    assert messages(folder) == ["new"]
