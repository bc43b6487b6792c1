"""How gunicorn's workers begin."""

from __future__ import annotations

import gc

from warandpeace import serving


def test_a_worker_leaves_its_code_out_of_the_garbage_collectors_rounds() -> None:
    before = gc.get_freeze_count()

    serving.settle()

    try:
        assert gc.get_freeze_count() > before + 100_000
    finally:
        gc.unfreeze()
