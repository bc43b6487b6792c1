"""An article's main picture: found where the feed or the page names it, looked at, and stored once by its hash.

Nothing waits for a picture for long and nothing fails without one: after `MOST_ATTEMPTS`, or when it is of no use, the
row says so and the text goes its way. The bytes are never decoded here; a type is told by its signature, the size in
pixels by the header.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from io import BytesIO

import imagesize
from django.utils import timezone
from django.utils.translation import gettext as _

from articles import figures, http, metrics
from articles.models import Media, Picture, Source
from articles.robots import Disallowed
from articles.sites import reading
from articles.sites.reading import UnreadableSite

# The page and the picture must have come by then; afterwards another worker may take the step.
LEASE = timedelta(minutes=2)
DEADLINE = 20.0  # seconds for the page, and as many for the picture
MAX_BYTES = 5_000_000
# The size in pixels stands in the first of them; a file made of nothing but empty segments costs no more than that.
HEADER_BYTES = 1_000_000
MOST_ATTEMPTS = 3
# Doubled after each further failure: a post waits for its picture no longer than a few minutes.
FIRST_PAUSE = timedelta(seconds=20)

# Telegram takes photos whose sides add up to 10,000 pixels and are not more unequal than 20 to 1
# (https://core.telegram.org/bots/api#sendphoto). What is smaller than SMALLEST is an icon or counts visitors.
LARGEST_SUM, MOST_UNEQUAL, SMALLEST = 10_000, 20, 150

# Of these types Telegram makes photos; all that we show is served as one of them.
SIGNATURES = (
    ("image/jpeg", b"\xff\xd8\xff", 0, b""),
    ("image/png", b"\x89PNG\r\n\x1a\n", 0, b""),
    ("image/webp", b"RIFF", 8, b"WEBP"),
)


class Unusable(Exception):
    """There is no picture that could be posted; trying again would not change that. The text is a sentence."""


@dataclass(frozen=True)
class Header:
    """What the first bytes of a picture say; sides in pixels."""

    content_type: str
    width: int
    height: int


def fetch_picture(picture_id: int) -> bool:
    """Take the picture's next step if it is due; True if nothing more is to be done for it.

    A failure is written into its row and tried again, `MOST_ATTEMPTS` times at the most.
    """
    wanted = Picture.objects.filter(status=Picture.Status.WANTED).select_related("article__source")
    picture = wanted.claim(picture_id, LEASE)
    if picture is None:
        return False
    if picture.attempts > MOST_ATTEMPTS:
        return _give_up(picture, _("No attempt came to an end: the process was killed each time."))
    try:
        source = picture.article.source
        url = picture.article.image_url or _named_on_page(source, picture.article.url)
        body = http.fetch(url, max_bytes=MAX_BYTES, deadline=DEADLINE, target="picture", pace=reading.pace(source)).body
        header = read_header(body)
    except Unusable as error:
        return _give_up(picture, str(error))
    except http.FetchError as error:
        return _record_failure(picture, error)
    finally:
        http.record_requests(at_least=20)
    media = Media.objects.keep(
        body, content_type=header.content_type, width=header.width, height=header.height, source_url=url
    )
    return _settle(picture, status=Picture.Status.FETCHED, media=media, url=url, last_error="")


def read_header(body: bytes) -> Header:
    """Type and size of a picture, from its bytes alone. Raises Unusable for what is no picture one would post."""
    content_type = _type_of(body)
    width, height = imagesize.get(BytesIO(body[:HEADER_BYTES])) if content_type else (-1, -1)
    if min(width, height) < 1:
        raise Unusable(_("What came is no JPEG, PNG or WebP picture."))
    if min(width, height) < SMALLEST:
        raise Unusable(_("The picture is too small (%(width)d × %(height)d).") % {"width": width, "height": height})
    if width + height > LARGEST_SUM or max(width, height) > MOST_UNEQUAL * min(width, height):
        raise Unusable(
            _("The picture is too large or too narrow for a post (%(width)d × %(height)d).")
            % {"width": width, "height": height}
        )
    return Header(content_type, int(width), int(height))


def _named_on_page(source: Source, url: str) -> str:
    """The picture that an article's page names. Raises Unusable if it names none or may not be read."""
    try:
        page = reading.fetch(source, url, deadline=DEADLINE)
        html = reading.document(source, page)
        found = reading.within_limits(partial(figures.picture_of_page, html, page.url))
    except (Disallowed, UnreadableSite) as error:
        raise Unusable(str(error)) from error
    if not found:
        raise Unusable(_("Neither the feed nor the page names a picture."))
    return found


def _type_of(body: bytes) -> str:
    """The type whose signature the bytes bear; empty for any other."""
    for content_type, beginning, place, inside in SIGNATURES:
        if body.startswith(beginning) and body.startswith(inside, place):
            return content_type
    return ""


def _record_failure(picture: Picture, error: http.FetchError) -> bool:
    """Plan the next attempt or, where there is no hope, do without."""
    metrics.errors.labels("picture").inc()
    is_hopeless = isinstance(error, http.Gone | http.TooLarge | http.AddressRefused)
    if is_hopeless or picture.attempts >= MOST_ATTEMPTS:
        return _give_up(picture, str(error))
    pause = FIRST_PAUSE * 2 ** (picture.attempts - 1)
    Picture.objects.held(picture).update(next_step_at=timezone.now() + pause, last_error=str(error))
    return False


def _give_up(picture: Picture, reason: str) -> bool:
    return _settle(picture, status=Picture.Status.NONE, last_error=reason)


def _settle(picture: Picture, **values: object) -> bool:
    """Write what came of the picture; False if the lease is lost."""
    return bool(Picture.objects.held(picture).update(next_step_at=None, **values))
