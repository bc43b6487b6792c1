"""Everything people may read is there in Russian: our own texts, the theme's, and those of packages in the admin."""

from __future__ import annotations

import gettext
from importlib.util import find_spec
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import trans_real

from tests.texts import Text, texts_of

OURS = ["articles", "publishing", "usage", "warandpeace", "templates"]
PACKAGES = ["unfold", "django_celery_beat", "axes", "simple_history"]
# Parts of the theme for packages we don't use.
UNUSED = ("contrib/constance", "contrib/guardian", "contrib/import_export", "contrib/location_field", "unfold_crispy")
CATALOGUES = [Path(folder) / "ru" / "LC_MESSAGES" / "django.po" for folder in settings.LOCALE_PATHS]


def folder_of(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def is_translated(text: Text) -> bool:
    """Whether Django would find a Russian text, in whichever catalogue."""
    context, single, plural = text
    key = f"{context}\x04{single}" if context else single
    catalogue = trans_real.translation("ru")._catalog  # type: ignore[attr-defined]
    return ((key, 0) if plural else key) in catalogue


def catalogue_of(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="ru")


@pytest.mark.parametrize("folder", OURS)
def test_our_texts_are_translated(folder: str) -> None:
    missing = {text for _path, text in texts_of(Path(settings.BASE_DIR) / folder) if not is_translated(text)}

    assert not missing, "run `make messages` and translate what it has found"


@pytest.mark.parametrize("package", PACKAGES)
def test_texts_of_packages_are_translated(package: str) -> None:
    root = folder_of(package)

    missing = {
        text
        for path, text in texts_of(root)
        if not is_translated(text)
        and not path.relative_to(root).as_posix().removeprefix("templates/").startswith(UNUSED)
    }

    assert not missing, "translate them in warandpeace/locale_of_packages and compile it"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-4])
def test_nothing_is_fuzzy_or_empty(path: Path) -> None:
    unfinished = [
        message.id
        for message in catalogue_of(path)
        if message.id and (message.fuzzy or not all(_strings(message.string)))
    ]

    assert not unfinished


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-4])
def test_placeholders_agree(path: Path) -> None:
    problems = [str(error) for message, errors in catalogue_of(path).check() for error in errors if message.id]

    assert not problems


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-4])
def test_the_compiled_catalogue_equals_the_readable_one(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as file:
        compiled = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    compiled.pop("", None)

    assert compiled == dict(_entries(catalogue_of(path))), "compile it: make messages"


def _strings(string: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (string or "",) if isinstance(string, str | None) else tuple(string)


def _entries(catalogue: Catalog) -> list[tuple[object, str]]:
    entries: list[tuple[object, str]] = []
    for message in catalogue:
        if not message.id:
            continue
        single = message.id if isinstance(message.id, str) else message.id[0]
        key = f"{message.context}\x04{single}" if message.context else single
        if isinstance(message.id, str):
            entries.append((key, str(message.string)))
        else:
            entries.extend(((key, number), text) for number, text in enumerate(_strings(message.string)))
    return entries
