"""What befalls the stack, one after the other. Each fault begins a cause, lets it last, and ends it."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import psycopg
from django.utils import timezone

from publishing.models import Message
from tests.chaos.ground import OURS, WORKERS, Ground, wait_until
from tests.chaos.progress import asked
from tests.chaos.traffic import SLOW, Outside, Press
from tests.fakes.bot_api import Fault as Mishap
from tests.fakes.llm_server import Fault as ModelFault
from usage.models import Alert
from warandpeace.models import Backup

# What can befall a post whose reply is lost.
LOST_REPLIES = (Mishap.DROP, Mishap.RESET, Mishap.TRUNCATE, Mishap.BAD_GATEWAY, Mishap.SERVER_ERROR)
CONNECTIONS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@dataclass(frozen=True)
class Scene:
    """What a fault may lay hands on."""

    ground: Ground
    outside: Outside
    press: Press


@dataclass(frozen=True)
class Fault:
    """One kind of trouble. `raises` are the alerts it must raise, which must all be cleared in the end.

    `seconds` is how long its cause lasts in a play of ten minutes; in a longer one it lasts longer. `missing` says why
    it can't be played here; empty if it can.
    """

    name: str
    play: Callable[[Scene, float], None]
    seconds: float
    raises: tuple[str, ...] = ()
    missing: Callable[[Ground], str] = lambda _ground: ""


# --- the database ---------------------------------------------------------------------------------------------------


def restart_database(scene: Scene, seconds: float) -> None:
    scene.ground.docker.stop("postgres", number=signal.SIGINT)
    time.sleep(seconds)
    scene.ground.docker.start("postgres")
    _database_answers(scene)


def crash_database(scene: Scene, seconds: float) -> None:
    """kill -9 of the whole server, again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        scene.ground.docker.kill("postgres")
        time.sleep(6)
    _database_answers(scene)


def kill_connections(scene: Scene, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(psycopg.Error), scene.ground.connect() as session:
            session.execute(CONNECTIONS)
        time.sleep(1)


def _database_answers(scene: Scene) -> None:
    wait_until(scene.ground.answers, "PostgreSQL", seconds=180)


# --- the broker -----------------------------------------------------------------------------------------------------


def flush_broker(scene: Scene, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _redis(scene, "FLUSHALL")
        time.sleep(1)


def lose_broker(scene: Scene, seconds: float) -> None:
    scene.ground.docker.stop("redis")
    time.sleep(seconds)
    scene.ground.docker.start("redis")
    wait_until(lambda: _redis(scene, "PING") == 0, "Redis")


def freeze_broker(scene: Scene, seconds: float) -> None:
    """It takes connections and answers nothing."""
    scene.ground.container("redis").signal(signal.SIGSTOP)
    time.sleep(seconds)
    scene.ground.container("redis").signal(signal.SIGCONT)


def _redis(scene: Scene, word: str) -> int:
    command = ["redis-cli", "-p", str(scene.ground.places.ports["redis"]), word]
    return subprocess.run(command, capture_output=True, check=False).returncode


# --- the disks ------------------------------------------------------------------------------------------------------


def fill_files(scene: Scene, seconds: float) -> None:
    """No room for counters, the witness, or anything else that the processes write down below VAR_DIR."""
    _full(scene, "files", seconds)


def fill_database(scene: Scene, seconds: float) -> None:
    _full(scene, "cluster", seconds)
    _database_answers(scene)


def fill_backups(scene: Scene, seconds: float) -> None:
    """A backup is due, and there is no room for it."""
    scene.ground.fill("backups")
    long_ago = timezone.now() - timedelta(days=2)
    wait_until(lambda: asked(lambda: Backup.objects.update(started_at=long_ago)) is not None, "the rows")
    wait_until(lambda: asked(Alert.objects.open().filter(code="backup_failed").exists), "a backup that fails")
    time.sleep(seconds)
    scene.ground.free("backups")


def _full(scene: Scene, disk: str, seconds: float) -> None:
    scene.ground.fill(disk)
    time.sleep(seconds)
    scene.ground.free(disk)


def no_disks(ground: Ground) -> str:
    return "" if ground.has_disks else "needs root, to mount small disks"


# --- the clock, and the processes -----------------------------------------------------------------------------------


def jump_clock(scene: Scene, seconds: float) -> None:
    """An hour ahead, and back."""
    scene.ground.set_clock(hours=1)
    time.sleep(seconds)
    scene.ground.set_clock(hours=0)


def no_clock(ground: Ground) -> str:
    return "" if ground.clock else "needs a C compiler"


def kill_processes(scene: Scene, seconds: float) -> None:
    chance, end = random.Random(), time.monotonic() + seconds  # noqa: S311  no secret
    while time.monotonic() < end:
        scene.ground.docker.kill(chance.choice(OURS + WORKERS * 2))
        time.sleep(chance.uniform(0.5, 5))


# --- the outside world ----------------------------------------------------------------------------------------------


def lose_sources(scene: Scene, seconds: float) -> None:
    """One site takes a day for a page, and one is gone."""
    scene.outside.to_lost_sites.cut()
    _drip(scene, 1.0)
    time.sleep(seconds)
    _drip(scene, 0.0)
    scene.outside.to_lost_sites.mend()


def _drip(scene: Scene, pause: float) -> None:
    scene.press.drip = pause
    for site in SLOW:
        scene.press.show(site)


def lose_replies(scene: Scene, seconds: float) -> None:
    """Telegram takes posts, and its replies get lost."""
    end, chance = time.monotonic() + seconds, random.Random()  # noqa: S311  no secret
    while time.monotonic() < end:
        if len(scene.outside.telegram.faults) < 2:
            scene.outside.telegram.faults.append(chance.choice(LOST_REPLIES))
        time.sleep(1)
    scene.outside.telegram.faults.clear()


def answer_for_telegram(scene: Scene, seconds: float) -> None:
    """Somebody on the way answers in its place, once: the post isn't there, and only a person can know that."""
    scene.outside.telegram.faults.append(Mishap.GARBAGE)
    wait_until(lambda: not scene.outside.telegram.faults, "a post")
    needs_person = Message.objects.filter(state=Message.State.NEEDS_PERSON)
    wait_until(lambda: asked(needs_person.exists), "a post that is left for a person")
    time.sleep(seconds)


def lose_world(scene: Scene, seconds: float) -> None:
    """Telegram is away, and so is every model: at first they can't be reached, then they answer with errors."""
    outside = scene.outside
    outside.to_telegram.cut()
    outside.to_models.cut()
    time.sleep(seconds / 2)
    outside.models.always(ModelFault.OVERLOADED)
    outside.to_models.mend()
    time.sleep(seconds / 2)
    outside.models.always(None)
    outside.to_telegram.mend()


FAULTS = (
    Fault("PostgreSQL restarted", restart_database, 15, raises=("NewsroomDown",)),
    Fault("PostgreSQL killed -9", crash_database, 12),
    Fault("connections killed", kill_connections, 10),
    Fault("Redis flushed", flush_broker, 8),
    Fault("Redis gone", lose_broker, 40, raises=("SweeperStopped",)),
    Fault("Redis frozen", freeze_broker, 40, raises=("SweeperStopped",)),
    Fault("disk of the database full", fill_database, 20, missing=no_disks),
    Fault("disk of the files full", fill_files, 15, missing=no_disks),
    Fault("disk of the backups full", fill_backups, 5, raises=("backup_failed",), missing=no_disks),
    Fault("processes killed at random", kill_processes, 40),
    Fault("a slow and a dead source", lose_sources, 40, raises=("SourceSilent",)),
    Fault("Telegram's replies lost", lose_replies, 15, raises=("post_unresolved",)),
    Fault("a proxy answers for Telegram", answer_for_telegram, 2, raises=("post_unresolved",)),
    Fault("Telegram and every model down", lose_world, 60, raises=("telegram_silent", "model_silent")),
    Fault("clock an hour ahead and back", jump_clock, 15, missing=no_clock),
)
