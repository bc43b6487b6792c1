"""How the processes of `manage.py run` begin, die and end."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import socket
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from articles.models import Source
from publishing.models import Channel
from tests.endtoend.stack import KINDS, PATIENCE, Stack, wait_for
from warandpeace.models import Milestone


@pytest.mark.either_database
def test_a_request_to_end_ends_every_process_soon(start):
    stack = start()
    assert len(stack.processes()) >= 4

    stack.process.send_signal(signal.SIGINT)
    stack.process.wait(timeout=PATIENCE)  # a few seconds where the processors are not busy with other tests

    assert stack.process.returncode == 0
    wait_for(lambda: not stack.processes(), "the end of every process")


@pytest.mark.either_database
def test_nothing_outlives_a_killed_parent(start):
    stack = start()

    stack.process.kill()

    wait_for(lambda: not stack.processes(), "the end of every process")


@pytest.mark.either_database
def test_a_killed_process_is_started_again_and_said_so(start):
    stack = start()
    wait_for(lambda: all(stack.running(name) for name in KINDS), "a process of each kind")
    before = {name: stack.running(name) for name in KINDS}

    for name in KINDS:
        stack.kill(name)

    for name in KINDS:
        stack.wait_for_output(rf"{name} was killed by SIGKILL; starting it again in 1 s\.")
        stack.wait_for_another(name, before[name])


@pytest.mark.either_database
def test_a_second_start_in_the_same_folder_is_refused_in_one_sentence(start):
    stack = start()

    with Stack(stack.var_dir, {}) as second:
        status = second.process.wait(timeout=PATIENCE)
        second.wait_for_output("runs already")

    assert status == 1
    assert len(second.output.splitlines()) == 1


def test_a_taken_port_is_said_in_one_sentence(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        with Stack(tmp_path / "var", {}, port=port) as stack:
            status = stack.process.wait(timeout=PATIENCE)
            stack.wait_for_output(f"make run PORT={port + 1}")

    assert status == 1
    assert len(stack.output.splitlines()) == 1


def test_without_the_demo_there_is_no_demo(start):
    start(arguments=("--no-demo",))

    assert not Source.objects.filter(slug="demo").exists()
    assert not Milestone.objects.filter(name="demo").exists()


def test_the_second_start_makes_nothing_again_and_respects_what_was_deleted(start):
    first = start()
    first.stop()
    Channel.objects.filter(slug="sandbox").delete()
    Source.objects.filter(slug="warandpeace").update(name="Renamed")

    second = start()

    assert "password:" in first.output
    assert "password:" not in second.output
    assert not Channel.objects.filter(slug="sandbox").exists()
    assert Source.objects.get(slug="warandpeace").name == "Renamed"
    assert get_user_model().objects.count() == 1
    assert Source.objects.get(slug="demo").url == f"{second.url}/demo/feed.xml"


@pytest.fixture
def nothing_yet(tmp_path: Path, db: None) -> dict[str, str]:
    """The environment of a newcomer: no configuration and, on PostgreSQL, an empty database."""
    if connection.vendor == "sqlite":
        return {}
    name = f"empty_{os.getpid()}"
    database = connection.settings_dict
    server = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as session:
        session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        session.execute(f"CREATE DATABASE {name}")
    return {"DATABASE_URL": f"{server}/{name}", "SECRET_KEY": "only-for-tests" * 4}


def sign_in(url: str, password: str) -> str:
    """The admin's first page as the printed login sees it."""
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    browser.open(f"{url}/admin/login/").close()
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token, "next": "/admin/"}
    with browser.open(f"{url}/admin/login/", urllib.parse.urlencode(form).encode()) as page:
        return str(page.read().decode())


def test_from_nothing_to_a_login_that_works(tmp_path, nothing_yet):
    with Stack(tmp_path / "var", nothing_yet) as stack:
        stack.wait_until_ready()
        password = stack.wait_for_output(r"password: (\S+)")[1]

        page = sign_in(stack.url, password)

        assert "/admin/logout/" in page
        assert re.search(rf"Sandbox +{stack.url}/sandbox/sandbox/", stack.output)
