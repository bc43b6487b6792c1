"""What can go wrong.

TransferError       ends the transfer; its text is a sentence for the operator that says what to do
└── Stopped         somebody asked for that, by Ctrl-C or SIGTERM
Unfit               one value or row can't be held by the target; it goes to quarantine with this reason
"""

from __future__ import annotations


class TransferError(Exception):
    """The transfer can't begin or go on. The target can be continued by running the same command again."""


class Stopped(TransferError):
    """What was at hand is finished, and nothing else was begun."""


class Unfit(ValueError):
    """A row can't be taken over as it is."""
