"""What may come of a fetch instead of a page: one family, whose texts are sentences that people find in the admin."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _


class FetchError(Exception):
    """Nothing usable came. The text is a sentence for people, without addresses or secrets.

    FetchError
    ├── AddressRefused      not an http(s) address, or one that leads into a private network
    ├── Unreachable         unknown host, connection refused or broken off, certificate not trusted
    ├── TimedOut            no connection, no answer or no end of it in time
    ├── TooLarge            the body is longer than the caller takes
    ├── Undecodable         the body's compression is unknown or broken
    ├── TooManyRedirects
    ├── HostRests           the host asked for a pause, or too many wait for it; has `retry_after`
    └── BadStatus           any answer but 2xx and 304; has `status` and `retry_after`
        └── Gone            404 and 410: the thing is no longer there
    """

    retry_after: timedelta | None = None

    @property
    def code(self) -> str:
        """A short name of the kind of failure, for metrics and dead letters."""
        return type(self).__name__

    def tell_of(self, thing: str) -> None:
        """Let the text name what it was that did not come, where that is not what was asked for."""
        self.args = (f"{thing}: {self}",)


class AddressRefused(FetchError):
    pass


class Unreachable(FetchError):
    pass


class TimedOut(FetchError):
    pass


class TooLarge(FetchError):
    pass


class Undecodable(FetchError):
    pass


class TooManyRedirects(FetchError):
    pass


class HostRests(FetchError):
    def __init__(self, message: str, wait: timedelta) -> None:
        super().__init__(message)
        self.retry_after = self.wait = wait


class BadStatus(FetchError):
    def __init__(self, message: str, status: int, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after

    @property
    def code(self) -> str:
        return f"HTTP {self.status}"


class Gone(BadStatus):
    pass


def bad_status(status: int, retry_after: timedelta | None) -> BadStatus:
    """The error for any answer that is none: neither 2xx nor 304."""
    if status in {404, 410}:
        return Gone(
            _("There is nothing at this address any more (%(status)d).") % {"status": status}, status, retry_after
        )
    if status in {401, 403}:
        return BadStatus(_("The server does not let us in (%(status)d).") % {"status": status}, status, retry_after)
    if status == 429:  # noqa: PLR2004
        return BadStatus(_("The server asks for fewer requests (429)."), status, retry_after)
    if status >= 500:  # noqa: PLR2004
        return BadStatus(
            _("The server has a problem of its own (%(status)d).") % {"status": status}, status, retry_after
        )
    return BadStatus(_("The server answered with status %(status)d.") % {"status": status}, status, retry_after)
