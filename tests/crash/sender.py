"""A process of its own that sends, or writes digests: what the crash tests start, stop and kill.

It starts once and forks senders for each line it is told, so that a kill costs milliseconds. A line is JSON: the
channels, how many send there at once, and where they die. The answer is how they have ended: 0, or minus the number of
a signal.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections

TOKEN = "123456789:AAcanary-canary_canary0canary1canary2"

# How long Telegram may take, in seconds: only in the long run it hangs in places where that must be waited for.
TIMEOUT = 2 if "CRASH_KILLS" in os.environ else 20
# Of a sender who stays until everything is sent, in seconds.
BETWEEN_LOOKS = 0.05
ON_THEIR_WAY = ("ready", "claimed", "sending")


def set_up(**overrides: Any) -> None:
    """Django with the settings of the tests, on the database whose name is the last argument."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    connections["default"].settings_dict["NAME"] = sys.argv[-1]
    for name, value in overrides.items():
        setattr(settings, name, value)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_statement(number: int) -> None:
    """Die right before the SQL statement with this number, whatever transaction it belongs to."""
    left = number

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            die()
        return execute(*arguments)

    connection.execute_wrappers.append(count)


def die_before_call(transport: Any) -> None:
    """Die right before the call of the Bot API."""
    transport.send = lambda self, message: die()


def die_after_reply(transport: Any, statement: int) -> None:
    """Die right before the SQL statement with this number, counted from the first reply of the Bot API."""
    send = transport.send

    def call(self: Any, message: Any) -> Any:
        outcome = send(self, message)
        transport.send = send
        die_at_statement(statement)
        return outcome

    transport.send = call


def send(order: dict[str, Any]) -> None:
    """Be a sender for a moment: settle what the dead have left, and send what is due."""
    # Django's models can be imported only after `set_up`.
    from django.utils import timezone  # noqa: PLC0415

    from publishing import delivery, telegram  # noqa: PLC0415
    from publishing.models import Message  # noqa: PLC0415

    settings.TELEGRAM_API_BASE_URL = order["url"]
    settings.TELEGRAM_SECONDS_BETWEEN_MESSAGES = order.get("pace", 0)
    settings.TELEGRAM_TIMEOUT = order.get("timeout", TIMEOUT)
    if subscribers := order.get("subscribers"):
        from publishing.subscriptions import sending  # noqa: PLC0415

        die_at_statement(order.get("statement", 0))
        sending.work(until=timezone.now() + timedelta(seconds=order.get("seconds", 600)), threads=subscribers)
        return
    if statement := order.get("statement"):
        die_at_statement(statement)
    if statement := order.get("after_reply"):
        die_after_reply(telegram.TelegramTransport, statement)
    if order.get("before_call"):
        die_before_call(telegram.TelegramTransport)
    until = timezone.now() + timedelta(seconds=order.get("seconds", 0))
    while True:
        try:
            delivery.recover()
            delivery.deliver_all(order["channels"], until=timezone.now())
            if order.get("seconds"):
                look_for_doubtful()
            if timezone.now() >= until or not Message.objects.filter(state__in=ON_THEIR_WAY).exists():
                return
        except (OperationalError, InterfaceError):
            # As a worker does: the task has failed, and the next one connects anew.
            connection.close()
        time.sleep(BETWEEN_LOOKS)


def look_for_doubtful() -> None:
    from publishing import reconciling  # noqa: PLC0415

    for message in reconciling.due():
        reconciling.reconcile(message.pk)


def build(order: dict[str, Any]) -> None:
    """Write a digest, as far as it can be written now; models are asked with the keys of the order."""
    from publishing.digests import building  # noqa: PLC0415
    from usage import llm  # noqa: PLC0415

    for name, value in order.get("settings", {}).items():
        setattr(settings, name, value)
    if statement := order.get("statement"):
        die_at_statement(statement)
    if when := order.get("call"):
        llm.complete = dying(llm.complete, when)
    while building.take_step(order["digest"]):
        pass


def dying(complete: Callable[..., Any], when: str) -> Callable[..., Any]:
    """Asking a model, with death right before the call, or right after its answer."""

    def ask(*arguments: Any, **options: Any) -> Any:
        if when == "before":
            die()
        complete(*arguments, **options)
        die()

    return ask


def fork(order: dict[str, Any]) -> int:
    """Run senders or a writer to their end, or kill them at a random moment within `order["kill_within"]` seconds."""
    children = [fork_one(order) for _ in range(order.get("senders", 1))]
    if kill_within := order.get("kill_within"):
        time.sleep(random.uniform(0, kill_within))  # noqa: S311
        for child in children:
            os.kill(child, signal.SIGKILL)
    return min(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


def fork_one(order: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    random.seed()
    try:
        (build if "digest" in order else send)(order)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        connections.close_all()
        os._exit(int(sys.exc_info()[0] is not None))


def warm_up() -> None:
    """Do once, before the first fork, what every sender would have to do for himself."""
    from publishing import claims, delivery, telegram  # noqa: PLC0415

    __import__("publishing.digests.building")
    telegram.wire_request()
    delivery.recover()
    claims.claim(0)
    connections.close_all()


def main() -> None:
    set_up(
        TELEGRAM_TOKENS={"TELEGRAM_BOT_TOKEN": TOKEN},
        TELEGRAM_TIMEOUT=TIMEOUT,
        TELEGRAM_QUIET_SECONDS=0,
    )
    warm_up()
    for line in sys.stdin:
        print(fork(json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
