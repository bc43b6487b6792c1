"""`python -m tests.chaos [--minutes N]`: plays every fault on the whole stack, and says how it bore up.

Exit status 0 only if each fault was forgotten within half a minute of its cause's end, the alerts it had to raise were
raised and cleared, and at the end nothing is lost, doubled or counted wrongly.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys

import django
from django.db import connections

from tests.chaos.compose import Places


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long it lasts, about (10)")
    parser.add_argument("--only", default="", help="play only the faults whose names contain this")
    parser.add_argument("--keep-logs", action="store_true", help="keep the logs even if all went well")
    return parser.parse_args()


def set_up() -> None:
    """Django with the settings of the tests; its database is pointed at the stack's own as soon as that is there."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["TEST_DATABASE_URL"] = "postgres://warandpeace@127.0.0.1:1/warandpeace"
    django.setup()


def point_to_database(places: Places) -> None:
    """Let this process ask the stack's own database."""
    chosen = {"PORT": places.ports["postgres"], "PASSWORD": places.secret("postgres_password")}
    connections["default"].settings_dict |= chosen


def main() -> int:
    chosen = arguments()
    set_up()
    # Whoever ends it ends what it has started: the `with` blocks see to that.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    # Django's models can be imported only after `set_up`.
    from tests.chaos.play import Play  # noqa: PLC0415

    try:
        return Play(chosen.minutes, chosen.only, keeps_logs=chosen.keep_logs).perform(point_to_database)
    except KeyboardInterrupt:
        print("Stopped.")
        return 1


if __name__ == "__main__":
    sys.exit(main())
