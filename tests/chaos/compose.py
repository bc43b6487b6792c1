"""`docker/compose.yml` without containers: the same commands with the same environment, at places of this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.servers import free_port

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker" / "compose.yml"
DOCKERFILE = ROOT / "docker" / "Dockerfile"
# ${NAME}, ${NAME:-default}, ${NAME:?complaint}, and $$ for a dollar.
VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::(-|\?)([^}]*))?\}")


@dataclass(frozen=True)
class Service:
    """What Docker would start: a command, its whole environment, how its health is asked for (empty: not at all)."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    health: tuple[str, ...] = ()


@dataclass(frozen=True)
class Places:
    """A folder with everything that is written, and free ports in the place of the containers' own."""

    folder: Path

    @cached_property
    def ports(self) -> dict[str, int]:
        return {name: free_port() for name in ("web", "postgres", "redis", "prometheus", "proxy")}

    @property
    def secrets(self) -> Path:
        return self.folder / "docker" / "secrets"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    def make_secrets(self, **own: str) -> None:
        """Make them as an operator does, point the database's address here, and fill in what only he has."""
        for folder in (self.secrets.parent, self.files, self.backups):
            folder.mkdir(parents=True, exist_ok=True)
        script = shutil.copy(ROOT / "docker" / "make-secrets.sh", self.secrets.parent)
        subprocess.run([script], check=True, stdout=subprocess.DEVNULL)
        for name, value in own.items():
            (self.secrets / name).write_text(value)
        address = self.secrets / "database_url"
        address.write_text(self.here(address.read_text()))

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text()

    def here(self, text: str, service: str = "") -> str:
        """A text of the containers, with this machine's folders and ports."""
        ports = self.ports
        places = {
            "/run/secrets": self.secrets,
            "/var/lib/warandpeace": self.files,
            "/var/backups/warandpeace": self.backups,
            "/tmp/": f"{self.folder}/tmp/{service}/",  # noqa: S108  each container has its own
            "/etc/prometheus": self.folder / "prometheus",
            "path=/prometheus": f"path={self.folder}/series",
            "0.0.0.0:8000": f"127.0.0.1:{ports['web']}",
            "127.0.0.1:8000": f"127.0.0.1:{ports['web']}",
            "127.0.0.1:9090": f"127.0.0.1:{ports['prometheus']}",
            # Prometheus calls the web process by this name, there.
            ",web": ",web,127.0.0.1",
            "web:8000": f"127.0.0.1:{ports['web']}",
            "@postgres:5432": f"@127.0.0.1:{ports['postgres']}",
            "redis://redis:6379": f"redis://127.0.0.1:{ports['redis']}",
        }
        return re.sub("|".join(map(re.escape, places)), lambda found: str(places[found[0]]), text)


class Compose:
    """The compose file, as it is with these variables in `docker/.env`."""

    def __init__(self, places: Places, variables: Mapping[str, str]) -> None:
        self.places, self.variables = places, variables
        self._services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
        self._dockerfile = DOCKERFILE.read_text()

    def service(self, name: str, *, instance: str = "") -> Service:
        """A service of the file; `instance` names one of several, as `--scale` makes them."""
        told, instance = self._services[name], instance or name
        (self.places.folder / "tmp" / instance).mkdir(parents=True, exist_ok=True)
        return Service(
            instance,
            tuple(self.places.here(self._filled(word), instance) for word in told.get("command", ())),
            self._environment(told, instance),
            tuple(self.places.here(word, instance) for word in self._health(told)),
        )

    def _environment(self, told: dict[str, Any], instance: str) -> dict[str, str]:
        """What any process needs of this machine; then the image's, `docker/.env`'s, the service's own."""
        machine = {name: value for name, value in os.environ.items() if name in {"HOME", "LANG", "LC_ALL"}}
        # The image has no .env file; this checkout may.
        machine |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "ENV_FILE": os.devnull}
        own = {key: self._filled(str(value)) for key, value in told.get("environment", {}).items()}
        if "build" not in told:
            return machine | own
        image = {key: self.places.here(value, instance) for key, value in self._of_image().items()}
        return {**machine, **image, **self.variables} | {key: self.places.here(own[key], instance) for key in own}

    def _of_image(self) -> dict[str, str]:
        """The variables that the image sets, but for those that say where its Python is."""
        told = " ".join(re.findall(r"^ENV (.*)$", self._dockerfile, re.MULTILINE))
        found = dict(word.split("=", 1) for word in told.split())
        return {name: value for name, value in found.items() if name != "PATH" and not name.startswith("PIP_")}

    def _health(self, told: dict[str, Any]) -> list[str]:
        own = told.get("healthcheck", {})
        if own.get("disable"):
            return []
        if "test" in own:
            return [self._filled(word) for word in own["test"][1:]]
        found = re.search(r"^HEALTHCHECK .*?CMD (\[.*?\])$", self._dockerfile, re.MULTILINE | re.DOTALL)
        return json.loads(found[1]) if found and "build" in told else []

    def _filled(self, text: str) -> str:
        """The text with its variables, as compose fills them in. Raises KeyError for one that has to be set."""

        def value(found: re.Match[str]) -> str:
            name, kind, rest = found.groups()
            if name is None:
                return "$"
            return self.variables[name] if kind == "?" else self.variables.get(name, rest or "")

        return VARIABLE.sub(value, text)
