"""`.env.example`, the settings and the compose file speak of the same variables and commands."""

from __future__ import annotations

import ast
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".env.example").read_text()
SETTINGS = ast.parse((ROOT / "warandpeace" / "settings.py").read_text())
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yml").read_text())["services"]
OURS = {name for name, service in SERVICES.items() if service["image"] == "warandpeace"}


def documented() -> dict[str, str]:
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def reads() -> list[ast.Call]:
    """The calls in the settings that read a variable: env.str("NAME", default=…), os.environ.get("NAME", …)."""
    calls = [node for node in ast.walk(SETTINGS) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [
        call
        for call in calls
        if re.fullmatch(r"(env|os\.environ)\.\w+", ast.unparse(call.func))
        and call.args
        and isinstance(call.args[0], ast.Constant)
    ]


def name_of(call: ast.Call) -> str:
    assert isinstance(call.args[0], ast.Constant)
    return str(call.args[0].value)


def literal_defaults() -> dict[str, str]:
    """The defaults that are written as plain values, as they would look in the example."""
    found = {}
    for call in reads():
        for keyword in call.keywords:
            if keyword.arg == "default":
                try:
                    found[name_of(call)] = shown(ast.literal_eval(keyword.value))
                except ValueError:
                    continue  # computed from other settings
    return found


def shown(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case list():
            return ",".join(value)
        case _:
            return str(value)


def test_every_variable_the_settings_read_is_documented_and_no_other():
    assert {name_of(call) for call in reads()} == set(documented())


def test_the_documented_defaults_are_the_real_ones():
    defaults = literal_defaults()

    assert len(defaults) > 15
    assert {name: documented()[name] for name in defaults} == defaults


@pytest.mark.parametrize("name", sorted(documented()))
def test_every_variable_is_explained(name):
    paragraph = next(part for part in EXAMPLE.split("\n\n") if re.search(rf"^#{name}=", part, re.MULTILINE))

    assert paragraph.startswith("# ")


def words(service: str) -> str:
    return " ".join(SERVICES[service].get("command", []))


@pytest.mark.parametrize("service", sorted(OURS))
def test_every_command_of_the_stack_exists(service):
    for command in re.findall(r"manage\.py (\w+)", words(service)):
        assert command in get_commands()
    for module in re.findall(r"python:([\w.]+)|-A (\w+)|(warandpeace\.wsgi)", words(service)):
        assert find_spec("".join(module))


@pytest.mark.parametrize("service", sorted(OURS))
def test_every_variable_of_the_stack_is_documented(service):
    assert set(SERVICES[service]["environment"]) <= set(documented())


@pytest.mark.parametrize("service", sorted(OURS - {"migrate"}))
def test_no_process_starts_before_the_migrations(service):
    assert SERVICES[service]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_only_the_loopback_is_published():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert ports == ["127.0.0.1:8000:8000"]


def test_the_image_installs_what_is_locked():
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text()

    assert "--require-hashes -r /tmp/base.txt" in dockerfile
    assert "USER warandpeace" in dockerfile
