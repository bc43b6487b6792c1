"""What can go wrong. The text of each is a sentence for the operator that says what to do.

BackupError
├── Busy       another backup or restore is at work on this machine
├── Damaged    a backup is not what was written: cut off, changed, half-written, or no backup at all
├── Locked     it is encrypted, and the right key is not there
├── TooNew     it was made by a newer program or server than the one it is to go into
├── NoSpace    a disk hasn't the room
└── InUse      somebody is connected to the database that is to be replaced
"""

from __future__ import annotations


class BackupError(Exception):
    """A backup can't be made or restored; nothing that was there before has been changed."""


class Busy(BackupError):
    pass


class Damaged(BackupError):
    pass


class Locked(BackupError):
    pass


class TooNew(BackupError):
    pass


class NoSpace(BackupError):
    pass


class InUse(BackupError):
    pass
