"""age: files that anybody with the public keys can write, and only the owner of a private one can read.

https://age-encryption.org/v1. Private keys are made and kept elsewhere (`age-keygen`).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pyrage
from django.conf import settings

from warandpeace.backups.errors import BackupError, Damaged, Locked

CHUNK = 1 << 20

# Of pyrage's modules x25519 and ssh; it has no types.
Recipient = Any
Identity = Any


class Reader(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Writer(Protocol):
    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


def recipients() -> list[Recipient]:
    """The public keys of BACKUP_RECIPIENTS: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`. Raises BackupError."""
    found: list[Recipient] = []
    for text in settings.BACKUP_RECIPIENTS:
        kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
        try:
            found.append(kind.Recipient.from_str(text))
        except pyrage.RecipientError as error:
            raise BackupError(
                f"BACKUP_RECIPIENTS has {text[:12]}…, which is no public key of age or SSH ({error})."
            ) from error
    return found


def passing_key() -> Identity:
    """A key for the one reading that proves a backup; it is never written down."""
    return pyrage.x25519.Identity.generate()


def identities(path: Path) -> list[Identity]:
    """The private keys in a file of `age-keygen` or of SSH. Raises Locked."""
    try:
        content = path.read_bytes()
        if b"PRIVATE KEY-----" in content:
            return [pyrage.ssh.Identity.from_buffer(content)]
        lines = [line.strip() for line in content.decode().splitlines()]
        found: list[Identity] = [pyrage.x25519.Identity.from_str(one) for one in lines if one and one[0] != "#"]
    except (pyrage.IdentityError, UnicodeDecodeError) as error:
        raise Locked(f"{path} holds no private key of age or SSH ({error}).") from error
    except OSError as error:
        raise Locked(
            f"{path} can't be read ({error.strerror}): give --identity the file of your private key."
        ) from error
    if not found:
        raise Locked(f"{path} holds no private key of age or SSH.")
    return found


def encrypt(reader: Reader, writer: Writer, to: Sequence[Recipient]) -> None:
    """Copy a stream to its end, for these readers only; in the clear if there are none."""
    if to:
        pyrage.encrypt_io(reader, writer, to)
    else:
        shutil.copyfileobj(reader, writer, CHUNK)
    writer.flush()


def decrypt(reader: Reader, writer: Writer, keys: Sequence[Identity], *, is_encrypted: bool) -> None:
    """Copy a stream to its end in the clear. Raises Locked without the right key, Damaged if it was changed."""
    if not is_encrypted:
        shutil.copyfileobj(reader, writer, CHUNK)
        writer.flush()
        return
    if not keys:
        raise Locked("The backup is encrypted: give --identity the file of a private key that may read it.")
    try:
        pyrage.decrypt_io(reader, writer, keys)
        writer.flush()
    except pyrage.DecryptError as error:
        raise Locked(f"The backup can't be decrypted with this key ({error}): give --identity another one.") from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Damaged(f"The backup can't be decrypted to its end ({error}): take another one.") from error
