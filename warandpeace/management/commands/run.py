"""The whole newsroom by one command."""

from __future__ import annotations

import http.client
import os
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from publishing.models import Channel
from warandpeace import broker, supervisor
from warandpeace.demo import content

# The only worker of this machine makes the backups too.
QUEUES = ",".join(broker.QUEUES)
UNSPECIFIED = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  compared with, not bound to


class Command(BaseCommand):
    help = (
        "Starts the newsroom on this machine: web, background worker, scheduler and, with TELEGRAM_BOT_TOKEN, the bot. "
        "The first start makes the database, a login and demo content. Ctrl-C stops everything."
    )
    requires_system_checks: list[str] = []  # each child checks; a second time would only make the start slower

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen at (8000)")
        parser.add_argument(
            "--no-demo", action="store_true", help="do not make the demo's source and sandbox on the first start"
        )

    def handle(self, *args: Any, host: str, port: int, no_demo: bool, **options: Any) -> None:
        self.printer = supervisor.Printer.for_terminal(sys.stdout)
        self.began_at = time.monotonic()
        shown = UNSPECIFIED.get(host, host)
        base_url = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
        try:
            held = supervisor.lock(settings.VAR_DIR / "run.lock")
            supervisor.check_free(host, port)
        except supervisor.AlreadyRunning as error:
            raise CommandError(f"The newsroom of {settings.VAR_DIR} runs already: stop that one first.") from error
        except supervisor.PortTaken as error:
            raise CommandError(
                f"Cannot listen at {host}:{port} ({error}). Choose another port: make run PORT={port + 1}"
            ) from error
        try:
            with held:
                welcome = self.prepare(base_url, with_demo=not no_demo)
                self.supervise(host, port, welcome)
        except KeyboardInterrupt:  # before the supervisor takes the signal over
            raise CommandError("Stopped while preparing; the next start goes on from here.") from None

    def prepare(self, base_url: str, *, with_demo: bool) -> list[str]:
        """Bring database, static files and first content up to date; gives the lines that welcome the user."""
        os.environ.setdefault("FETCH_ALLOW_PRIVATE", "on")  # the demo's feed is on this machine
        self.say("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)
        self.say("Collecting the pages' styles and scripts …")
        call_command("collectstatic", interactive=False, verbosity=0)
        for leftover in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob("*.db"):
            leftover.unlink()
        if settings.CELERY_BROKER_URL == "filesystem://":
            broker.clear(settings.BROKER_DIR)
        password = content.create_admin()
        content.create_first_sources()
        content.fill_in_first_channel()
        if with_demo and content.create_demo(base_url):
            self.say("Making the demo: a feed of invented news and a sandbox channel …")
        content.follow_address(base_url)
        lines = welcome(base_url, password)
        connections.close_all()
        return lines

    def supervise(self, host: str, port: int, welcome: list[str]) -> None:
        """Run every process until somebody ends it."""
        bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        os.chdir(settings.BASE_DIR)
        children = [
            supervisor.Child(name, command, alive=settings.VAR_DIR / f"{name}.alive")
            for name, command in commands(bind).items()
        ]
        self.say(f"Starting {', '.join(child.name for child in children)} …")
        supervisor.Supervisor(children, self.printer).run(
            is_ready=lambda: answers(UNSPECIFIED.get(host, host), port),
            on_ready=lambda: self.greet(welcome),
        )

    def greet(self, welcome: list[str]) -> None:
        took = time.monotonic() - self.began_at
        for line in ["", f"Ready after {took:.0f} s. Ctrl-C stops everything.", *welcome, ""]:
            self.say(line)

    def say(self, text: str) -> None:
        self.printer.line("run", text)


def welcome(base_url: str, password: str | None) -> list[str]:
    """Where to click, and how to sign in."""
    sandboxes = Channel.objects.filter(kind=Channel.Kind.SANDBOX).values_list("slug", flat=True)
    login = f"admin   password: {password}   (shown only now)" if password else "as before"
    return [
        f"  Start here   {base_url}/",
        f"  Admin        {base_url}/admin/",
        *(f"  Sandbox      {base_url}/sandbox/{slug}/" for slug in sandboxes),
        f"  Login        {login}",
        "  Forgotten?   .venv/bin/python manage.py changepassword admin",
    ]


def commands(bind: str) -> dict[str, list[str]]:
    """The command of each process, by its name."""
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "warandpeace"]
    found = {
        "web": [
            *(sys.executable, "-m", "gunicorn", "--config", "python:warandpeace.serving"),
            *("--bind", bind, "warandpeace.wsgi"),
        ],
        "worker": [
            *(*celery, "worker", "--queues", QUEUES),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        "beat": [*celery, "beat", "--pidfile="],
    }
    if settings.TELEGRAM_BOT_TOKEN:
        found["bot"] = [sys.executable, "manage.py", "runbot"]
    return found


def answers(host: str, port: int) -> bool:
    """Whether the web process answers yet."""
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
