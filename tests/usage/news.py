"""Invented news as it comes from feeds and pages, and what a summary of each must keep and must leave out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "data" / "news"


@dataclass(frozen=True)
class News:
    """A text of `tests/data/news`: its first line is the title."""

    name: str
    kept: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return (FOLDER / f"{self.name}.txt").read_text().partition("\n\n")[0]

    @property
    def text(self) -> str:
        return (FOLDER / f"{self.name}.txt").read_text().partition("\n\n")[2]


NEWS = (
    News(
        "coal_port",
        ("12,4%", "8,7 млн т", "14,3 млрд руб."),
        ("Читайте также", "Подписывайтесь", "Фото:", "Об этом сообщает"),
    ),
    News("bridge", ("1 240 м", "23,6 млрд рублей"), ("Нашли опечатку", "Материалы по теме", "тридцать лет")),
    News("central_bank", ("11,5%", "6,8%")),
    News("fire", ("3 200 кв. м", "два человека"), ("Видео:", "Реклама", "Следите за", "Такие данные")),
    News("drones", ("48 разведывательных беспилотников", "«Сойка-2»"), ("Все права", "Перепечатка")),
    News("budget_en", ("2.4% of GDP", "84.6 billion crowns"), ("Read more", "Sign up", "All rights")),
    News("ferry_en", ("214 people", "Skerrey"), ("Photo:", "Follow us", "Is fog to blame?")),
    News("short", ("34 домах", "5 автоцистерн")),
)
