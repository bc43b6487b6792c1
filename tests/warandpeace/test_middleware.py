from __future__ import annotations

import logging

import pytest

pytestmark = pytest.mark.django_db


def test_a_request_gets_an_id(client):
    response = client.get("/")

    assert len(response["X-Request-ID"]) == 12


def test_an_id_that_came_along_is_kept(client):
    response = client.get("/", headers={"X-Request-ID": "proxy-42"})

    assert response["X-Request-ID"] == "proxy-42"


def test_an_id_that_could_break_a_log_line_is_replaced(client):
    response = client.get("/", headers={"X-Request-ID": "x y"})

    assert response["X-Request-ID"] != "x y"


def test_a_request_is_logged_with_its_status(client, caplog):
    with caplog.at_level(logging.INFO, logger="warandpeace.middleware"):
        client.get("/")

    assert "GET / 200" in caplog.text


def test_the_browsers_language_does_not_choose_ours(client):
    response = client.get("/", headers={"Accept-Language": "en"})

    assert response["Content-Language"] == "ru"


def test_the_readers_choice_is_followed(client):
    client.post("/i18n/setlang/", {"language": "en", "next": "/"})

    assert client.get("/")["Content-Language"] == "en"
