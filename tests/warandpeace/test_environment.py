"""`.env.example`, the settings and the compose file speak of the same variables and commands."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".env.example").read_text()
SETTINGS = ast.parse((ROOT / "warandpeace" / "settings.py").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
LAYERS = ("usage", "articles", "publishing", "warandpeace")
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
    variables = SERVICES[service]["environment"]

    assert [name for name in variables if not {name, name.removesuffix("_FILE")} & set(documented())] == []


def test_every_variable_of_the_compose_file_itself_is_documented():
    files = "".join((ROOT / "docker" / name).read_text() for name in ("compose.yml", "Caddyfile"))
    example = (ROOT / "docker" / ".env.example").read_text()

    used = set(re.findall(r"(?:(?<!\$)\$\{|\{\$)(\w+)", files))

    # The name of the whole is for compose itself.
    assert used | {"COMPOSE_PROJECT_NAME"} == set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))


def test_the_compose_of_debian_reads_the_file():
    """docker-compose 1.29 knows no name of the whole, and no file of variables that may be missing."""
    files = {type(file) for service in OURS for file in SERVICES[service].get("env_file", [])}

    assert {name for name in COMPOSE if not name.startswith("x-")} == {"services", "networks", "volumes", "secrets"}
    assert files == {str}


def test_the_proxy_takes_what_compose_leaves_empty():
    """An argument that is not there at all is an error to it."""
    may_be_empty = re.findall(r"\$\{(\w+):-\}", (ROOT / "docker" / "compose.yml").read_text())
    caddyfile = (ROOT / "docker" / "Caddyfile").read_text()

    used = [name for name in may_be_empty if f"{{${name}" in caddyfile]

    assert used
    assert [name for name in used if f'"{{${name}}}"' not in caddyfile] == []


@pytest.mark.parametrize("service", sorted(OURS - {"migrate"}))
def test_no_process_starts_before_the_migrations(service):
    assert SERVICES[service]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_only_the_proxy_is_published():
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_service_belongs_to_a_profile_and_is_watched(service):
    assert set(SERVICES[service]["profiles"]) <= {"small", "full"}
    assert "full" in SERVICES[service]["profiles"]
    assert "healthcheck" in SERVICES[service] or service in OURS
    assert SERVICES[service].get("healthcheck", {}).get("disable", False) == (service == "migrate")


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"postgres"}))
def test_every_service_writes_only_where_it_must_and_can_do_no_more_than_it_must(service):
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert SERVICES[service]["security_opt"] == ["no-new-privileges:true"]


def test_secrets_are_files_that_are_made_or_asked_for(tmp_path):
    script = shutil.copy(ROOT / "docker" / "make-secrets.sh", tmp_path)

    subprocess.run([script], check=True, capture_output=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    subprocess.run([script], check=True, capture_output=True)

    assert set(made) == set(COMPOSE["secrets"])
    assert len(made["secret_key"]) >= 50
    assert made["postgres_password"] in made["database_url"]
    assert made == {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_no_secret_stands_in_the_environment(service):
    variables = SERVICES[service].get("environment", {})
    secret = [name for name in variables if re.search(r"SECRET|PASSWORD|TOKEN|KEY|DATABASE_URL", name)]

    assert all(name.endswith("_FILE") and variables[name].startswith("/run/secrets/") for name in secret)
    assert {Path(variables[name]).name for name in secret} <= {secret_name(one) for one in given(service)}


def given(service: str) -> list[Any]:
    found: list[Any] = SERVICES[service].get("secrets", [])
    return found


def secret_name(secret: str | dict[str, Any]) -> str:
    return secret if isinstance(secret, str) else str(secret["source"])


def test_the_image_installs_what_is_locked_and_is_not_root():
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text()

    assert "--only-binary :all: --require-hashes -r /tmp/base.txt" in dockerfile
    assert "USER 10001" in dockerfile


def test_the_image_holds_every_folder_the_product_runs_from():
    copied = set(re.findall(r"^COPY (?:--from=\S+ )?(\S+)", (ROOT / "docker" / "Dockerfile").read_text(), re.MULTILINE))
    allowed = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE))

    assert {"manage.py", "templates", *LAYERS} <= copied
    assert copied - {"/opt/venv"} == allowed
