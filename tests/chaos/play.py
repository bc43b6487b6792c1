"""The play: traffic begins, one fault follows the other, and at the end comes the verdict."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from articles import summarise
from publishing.models import Channel
from tests.chaos import verdict
from tests.chaos.alarms import Alarms
from tests.chaos.compose import Places
from tests.chaos.decider import Decider
from tests.chaos.faults import FAULTS, Fault, Scene
from tests.chaos.ground import Ground, wait_until
from tests.chaos.progress import LIMIT, Line, Recovery, spread_fetches
from tests.chaos.traffic import SITE_HOST, SITES, Editor, Outside, Press
from tests.crash.sender import TOKEN
from tests.factories import SourceFactory
from tests.publishing.outbox import AUDIT
from warandpeace.models import Backup

CHATS = ("@first", "@second")
ADMINISTRATOR = 7
PASSWORD = "only-for-the-play"
# The faults' own seconds are those of a play of so many minutes.
MINUTES = 10.0
CALM = 3.0
# Whatever a broken step has left under a lease is taken up again within that time.
REST = summarise.LEASE.total_seconds() + 60


@dataclass
class Scored:
    """What came of a fault."""

    fault: Fault
    at: float
    lasted: float = 0.0
    recovery: Recovery | None = None
    missing: str = ""


class Play:
    def __init__(self, minutes: float, only: str, *, keeps_logs: bool) -> None:
        self.minutes, self.keeps_logs = minutes, keeps_logs
        self.faults = [fault for fault in FAULTS if only.lower() in fault.name.lower()]
        self.scores: list[Scored] = []
        self.began = time.monotonic()

    def perform(self, point_to_database: Callable[[Places], None]) -> int:
        """All of it; the exit status."""
        with ExitStack() as opened:
            outside = opened.enter_context(Outside())
            ground = opened.enter_context(Ground())
            say(f"Everything of it is in {ground.places.folder}")
            ground.start(variables(outside), {"telegram_bot_token": TOKEN, "openai_api_key": "key-of-the-play"})
            point_to_database(ground.places)
            self._open_newsroom(outside)
            press = opened.enter_context(Press(outside))
            port = ground.places.ports["web"]
            editor = opened.enter_context(Editor(port, "editor", PASSWORD))
            alarms = Alarms(ground.places.ports["prometheus"] if ground.has_prometheus else None)
            opened.enter_context(alarms)
            line, decider = Line(outside.telegram, set(CHATS), port), Decider(editor, outside.telegram)
            self._warm_up(ground, line)
            for fault, seconds in self._plan(ground):
                self._play(fault, seconds, Scene(ground, outside, press), line)
                # What the stack can't know by itself a person says, but not before it is told how it went on alone.
                decider.decide()
            press.end()
            say("No more news; everything comes to rest …")
            found = self._judge(outside, press, alarms, decider)
            ground.keeps_logs = self.keeps_logs or bool(found)
            say(f"{editor.approved} approved at the desk, {editor.failures} of the editor's requests failed")
        return self._report(found, alarms)

    def _open_newsroom(self, outside: Outside) -> None:
        """What an operator would set up: sources, a channel that approves by itself, one at which an editor sits."""
        # The hashes of the tests' settings are not those of the product.
        hasher = PBKDF2PasswordHasher()
        get_user_model().objects.create(
            username="editor", password=hasher.encode(PASSWORD, hasher.salt()), is_staff=True, is_superuser=True
        )
        # Looked for every few seconds instead of minutes whether a backup is due.
        schedule, _created = IntervalSchedule.objects.get_or_create(every=5, period=IntervalSchedule.SECONDS)
        PeriodicTask.objects.get(name="back up").delete()
        PeriodicTask.objects.create(name="back up", task="warandpeace.tasks.back_up", interval=schedule)
        modes = (Channel.AutoApprove.ALWAYS, Channel.AutoApprove.NEVER)
        channels = [
            Channel.objects.create(
                kind=Channel.Kind.TELEGRAM,
                slug=chat.strip("@"),
                name=chat,
                chat_id=chat,
                audit_chat_id=AUDIT,
                auto_approve=mode,
            )
            for chat, mode in zip(CHATS, modes, strict=True)
        ]
        for site in range(SITES):
            source = SourceFactory.create(
                slug=f"site-{site}", url=outside.address(site), auto_queue=True, interval_minutes=1
            )
            channels[site % 2].sources.add(source)

    def _warm_up(self, ground: Ground, line: Line) -> None:
        """Until every process is healthy, a first backup is verified, and posts go out."""
        say("Waiting until everything is well …")
        spread_fetches()
        wait_until(lambda: line.recovery(line.mark()).seconds is not None, "the first posts", seconds=300)
        wait_until(lambda: not ground.docker.unhealthy(), "healthy processes", seconds=120)
        wait_until(Backup.objects.verified().exists, "a verified backup", seconds=120)

    def _plan(self, ground: Ground) -> Iterator[tuple[Fault, float]]:
        """Each fault once, the longer the longer the play is; in a long one in any order then, until it is over."""
        scale, end = self.minutes / MINUTES, self.began + 60 * self.minutes
        yield from ((fault, fault.seconds * scale) for fault in self.faults)
        playable, chance = [fault for fault in self.faults if not fault.missing(ground)], Random()  # noqa: S311  no secret
        while playable and scale > 1 and time.monotonic() < end:
            again = chance.choice(playable)
            yield again, again.seconds

    def _play(self, fault: Fault, seconds: float, scene: Scene, line: Line) -> None:
        score = Scored(fault, time.monotonic(), missing=fault.missing(scene.ground))
        self.scores.append(score)
        if score.missing:
            say(f"{fault.name}: skipped: {score.missing}")
            return
        spread_fetches()
        time.sleep(CALM)
        score.at = time.monotonic()
        say(f"{fault.name} …")
        fault.play(scene, seconds)
        since = line.mark()
        score.lasted = time.monotonic() - score.at
        score.recovery = line.recovery(since)
        say(f"  {told(score.recovery)}")

    def _judge(self, outside: Outside, press: Press, alarms: Alarms, decider: Decider) -> list[str]:
        is_done = verdict.come_to_rest(press.published, decider.decide, seconds=REST)
        found = [] if is_done else ["not everything came to rest"]
        found += verdict.complaints(press.published, outside.telegram, outside.models)
        give_up_at = time.monotonic() + 90
        while alarms.open() and time.monotonic() < give_up_at:
            time.sleep(1)
        found += [f"the alert {name} was never cleared" for name in sorted(alarms.open())]
        found += self._complaints(alarms)
        say(f"{len(press.published)} articles, {outside.models.book.requests} calls of models")
        say(f"{decider.decided.total()} posts were left for a person {dict(decider.decided) or ''}")
        return found

    def _complaints(self, alarms: Alarms) -> list[str]:
        found = []
        for score in self.scores:
            if score.recovery and not score.recovery.is_in_time:
                found.append(f"{score.fault.name}: not forgotten after {LIMIT:.0f} s")
            raised = {episode.name for episode in alarms.since(score.at)}
            if score.recovery:
                found += [f"{score.fault.name}: {name} was not raised" for name in set(score.fault.raises) - raised]
        return found

    def _report(self, found: list[str], alarms: Alarms) -> int:
        print(f"\n{'fault':<32}{'at':>6}{'lasted':>8}{'recovered':>11}   alerts (raised–cleared, seconds of the play)")
        for score, following in zip(self.scores, [*self.scores[1:], None], strict=True):
            until = following.at if following else float("inf")
            seconds = score.recovery.seconds if score.recovery else None
            after = "skipped" if score.missing else "never" if seconds is None else f"{seconds:.1f} s"
            alerts = ", ".join(
                f"{one.name} {one.raised - self.began:.0f}–{one.cleared - self.began if one.cleared else 0:.0f}"
                for one in alarms.episodes
                if score.at <= one.raised < until
            )
            note = score.missing or alerts
            print(f"{score.fault.name:<32}{score.at - self.began:>6.0f}{score.lasted:>7.0f}s{after:>11}   {note}")
        print()
        for complaint in found:
            print(f"WRONG  {complaint}")
        print(f"chaos={'failed' if found else 'ok'} faults={len(self.scores)} complaints={len(found)}")
        return bool(found)


def variables(outside: Outside) -> dict[str, str]:
    """What stands in `docker/.env`."""
    return {
        "SITE_HOST": SITE_HOST,
        "TELEGRAM_API_BASE_URL": f"http://127.0.0.1:{outside.to_telegram.port}",
        "TELEGRAM_ADMIN_IDS": str(ADMINISTRATOR),
        "TELEGRAM_TIMEOUT": "5",
        "TELEGRAM_QUIET_SECONDS": "3",
        "LLM_PRIMARY": "openai",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{outside.to_models.port}/v1",
        "FETCH_ALLOW_PRIVATE": "on",
        "NO_PROXY": "127.0.0.1",
        "TZ": os.environ.get("TZ", "UTC"),
    }


def told(recovery: Recovery) -> str:
    """How long each stage took."""
    return ", ".join(
        f"{stage} {'never' if seconds is None else f'{seconds:.1f} s'}" for stage, seconds in recovery.stages.items()
    )


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)
