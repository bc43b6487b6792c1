"""Which commands and buttons there are, and who may use them. Their modules enter them with two decorators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature

from django.utils.functional import Promise

from publishing.bot.conversation import Answer, Asked

# The number of arguments that a button carries is its own matter.
Tapped = Callable[..., Answer]


@dataclass(frozen=True)
class Command:
    """`/name`, with what Telegram's menu says about it."""

    name: str
    description: Promise
    answer: Callable[[Asked], Answer]
    for_admins: bool


@dataclass(frozen=True)
class TapHandler:
    """What answers a tap, how many numbers its buttons carry, and for whom it is."""

    answer: Tapped
    numbers: int
    for_admins: bool


COMMANDS: dict[str, Command] = {}
TAPS: dict[str, TapHandler] = {}


def command(name: str, description: Promise, *, for_admins: bool = False) -> Callable[..., Callable[[Asked], Answer]]:
    """Enter the decorated function as the command's answer; the menu lists commands in the order they were entered."""

    def enter(answer: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
        COMMANDS[name] = Command(name, description, answer, for_admins)
        return answer

    return enter


def button(name: str, *, for_admins: bool = False) -> Callable[[Tapped], Tapped]:
    """Enter the decorated function as what a tap on the buttons of that name does; it takes the button's numbers."""

    def enter(answer: Tapped) -> Tapped:
        TAPS[name] = TapHandler(answer, len(signature(answer).parameters) - 1, for_admins)
        return answer

    return enter


def offered(*, to_admin: bool) -> list[Command]:
    """The commands somebody may use."""
    return [one for one in COMMANDS.values() if to_admin or not one.for_admins]
