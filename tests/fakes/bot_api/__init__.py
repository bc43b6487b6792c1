"""A Bot API on the loopback: real HTTP, Telegram's rules, a ledger of what its chats have received, faults to order.

The ledger is what subscribers would see, whatever the caller was told. So a test can ask both: what happened, and
what does our row say happened?
"""

from tests.fakes.bot_api.api import BotApi
from tests.fakes.bot_api.faults import Fault
from tests.fakes.bot_api.pace import Pace
from tests.fakes.bot_api.server import bot_api

__all__ = ["BotApi", "Fault", "Pace", "bot_api"]
