"""What the processes that share a bot tell each other through its row: wait, stop, it is down, it answers again.

answering ─ three calls in a row without Telegram's own answer ─▶ broken: nothing is sent, getMe asks every few
seconds whether Telegram is back ─▶ answering
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import CharField, F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext

from publishing import telegram
from publishing.models import Bot, Channel
from publishing.models.bot import FAILURES_UNTIL_BROKEN
from publishing.outcomes import NotSent, Outcome, Refused, Unknown
from publishing.prepared import Blank, PreparedUpdate
from usage.models import Alert

BETWEEN_PROBES = timedelta(seconds=10)


def learn(channel: Channel, outcome: Outcome) -> None:
    """Write into the row of a channel's bot what the outcome of a call says about the bot."""
    if channel.kind == Channel.Kind.TELEGRAM:
        learn_of(channel.token_env, outcome)


def learn_of(token_env: str, outcome: Outcome) -> None:
    """The same for the bot whose token the variable holds."""
    match outcome:
        case NotSent(stops_bot=True, reason=reason):
            Bot.objects.filter(token_env=token_env).update(is_paused=True, pause_reason=reason[:300])
            Alert.sound("bot_paused", token_env, f"{token_env}: {reason}")
        case NotSent(retry_after=timedelta() as wish, moved_to=""):
            wait(token_env, wish)
        case NotSent(pause=False, moved_to="") | Unknown():
            _count_failure(token_env)
        case _:
            _forgive.run(token_env=token_env)


def wait(token_env: str, wish: timedelta) -> None:
    """Let nobody call the bot for so long, as Telegram has asked."""
    now = timezone.now()
    Bot.objects.filter(token_env=token_env).update(
        # Says when it was asked, so that a wrong clock is found out.
        next_call_at=Greatest("next_call_at", now),
        resumes_at=Greatest("resumes_at", now + wish),
        failures=0,
    )


_forgive = PreparedUpdate(
    lambda: Bot.objects.filter(token_env=Blank("token_env", CharField()), failures__gt=0), failures=0
)


def _count_failure(token_env: str) -> None:
    row = Bot.objects.filter(token_env=token_env)
    row.update(failures=Greatest(F("failures"), 0) + 1)
    if row.filter(failures=FAILURES_UNTIL_BROKEN).update(resumes_at=timezone.now() + BETWEEN_PROBES):
        text = gettext("%(bot)s: Telegram does not answer. Nothing is sent until it does.")
        Alert.sound("telegram_silent", token_env, text % {"bot": token_env})


def probe_due() -> int:
    """Ask Telegram whether broken bots can be called again; returns how many can. Never posts anything."""
    due = Bot.objects.to_be_probed(timezone.now())
    return sum(_probe(bot) for bot in due)


def _probe(bot: Bot) -> bool:
    """One getMe. Who asks books the next probe first, so that several processes don't ask together."""
    now = timezone.now()
    row = Bot.objects.filter(pk=bot.pk)
    if not row.filter(resumes_at=bot.resumes_at).update(resumes_at=now + BETWEEN_PROBES):
        return False
    match telegram.who_am_i(bot.token_env):
        case telegram.Me(username=username):
            row.update(failures=0, resumes_at=now, username=username)
            Alert.is_over("telegram_silent", bot.token_env)
            return True
        case NotSent(stops_bot=True, reason=reason):
            row.update(is_paused=True, pause_reason=reason[:300])
            Alert.sound("bot_paused", bot.token_env, f"{bot.token_env}: {reason}")
        case NotSent(retry_after=timedelta() as wish):
            wait(bot.token_env, wish)
        case Refused() | NotSent() | Unknown():
            pass
    return False


def resume(bot: Bot) -> None:
    """Somebody has set a valid token, or has seen to whatever stopped the bot."""
    bot.is_paused, bot.pause_reason, bot.failures, bot.resumes_at = False, "", 0, timezone.now()
    bot.save(update_fields=["is_paused", "pause_reason", "failures", "resumes_at"])
    Alert.is_over("bot_paused", bot.token_env)
