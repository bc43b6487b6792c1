"""Which version of the program is running."""

from __future__ import annotations

from pathlib import Path


def checked_out_commit(folder: Path) -> str:
    """The commit that a git checkout stands on, or an empty string where there is none (an image, an archive).

    Reads git's own files: a container or a service may have no git to ask.
    """
    git = folder / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        reference = head.removeprefix("ref: ")
        if (git / reference).is_file():
            return (git / reference).read_text().strip()
        packed = (git / "packed-refs").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split()[0] for line in packed if line.endswith(f" {reference}")), "")
