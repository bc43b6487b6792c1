"""canonical: all spellings of an address become one, and different articles stay different."""

from __future__ import annotations

import string
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from articles.canonical import TRACKERS, NotCanonical, canonicalise


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("HTTPS://News.Example/Ru/View", "https://news.example/Ru/View"),
        ("https://news.example:443/a", "https://news.example/a"),
        ("http://news.example:80/a", "http://news.example/a"),
        ("https://news.example:8443/a", "https://news.example:8443/a"),
        ("http://news.example:443/a", "http://news.example:443/a"),
        ("https://news.example", "https://news.example/"),
        ("https://news.example./a", "https://news.example/a"),
        ("https://новости.рф/порт", "https://xn--b1amnebsh.xn--p1ai/%D0%BF%D0%BE%D1%80%D1%82"),
        ("https://news.example/a#comments", "https://news.example/a"),
        ("https://news.example/ru/news/view/17/", "https://news.example/ru/news/view/17"),
        ("https://news.example/a/?id=1", "https://news.example/a?id=1"),
        ("https://news.example/a/../b/./c", "https://news.example/b/c"),
        ("https://news.example/a?b=2&a=1", "https://news.example/a?a=1&b=2"),
        ("https://editor:secret@news.example/a", "https://news.example/a"),
        ("http://[2001:DB8::1]:80/a", "http://[2001:db8::1]/a"),
        ("  https://news.example/a\n", "https://news.example/a"),
        ("https://news.example/a?%75tm_source=rss", "https://news.example/a"),
    ],
)
def test_spellings_become_one(spelling: str, canonical: str) -> None:
    assert canonicalise(spelling) == canonical


@pytest.mark.parametrize("tracker", ["utm_source", "UTM_Campaign", "utm_anything", *sorted(TRACKERS)])
def test_a_tracker_is_dropped(tracker: str) -> None:
    assert canonicalise(f"https://news.example/a?{tracker}=x&id=7") == "https://news.example/a?id=7"


@pytest.mark.parametrize("parameter", ["ref", "reference", "refid", "referendum", "id", "utm", "utmost", "gclidx", "p"])
def test_a_parameter_that_only_resembles_a_tracker_stays(parameter: str) -> None:
    assert canonicalise(f"https://news.example/a?{parameter}=x") == f"https://news.example/a?{parameter}=x"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "news",
        "/ru/news/17",
        "mailto:editor@news.example",
        "javascript:alert(1)",
        "ftp://news.example/a",
        "file:///etc/passwd",
        "https://",
        "https:///a",
        "https://news.example:port/a",
        "https://news.example:99999/a",
        "https://[news/a",
        f"https://news.example/{'a' * 2048}",
        f"https://news.example/{'я' * 400}",
    ],
)
def test_what_is_no_short_web_address_is_refused(text: str) -> None:
    with pytest.raises(NotCanonical):
        canonicalise(text)


words = st.text(string.ascii_letters + string.digits + "-_.~ йцуЙ%/+;,@", min_size=1, max_size=12)
names = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=10).filter(
    lambda name: name[0] != "-" and name[-1] != "-"
)
urls = st.builds(
    lambda scheme, host, path, query, fragment: f"{scheme}://{host}.example/{path}?{query}#{fragment}",
    st.sampled_from(["http", "HTTPS"]),
    names,
    words,
    st.one_of(words, st.lists(st.tuples(words, words), max_size=4).map(urlencode)),
    words,
)


@given(st.one_of(urls, st.text(max_size=60).map(lambda text: f"https://news.example/{text}")))
@example("https://news.example/%2525?%2525=%252B")
@example("https://news.example/a//;b=c//?&&=&a")
@example("https://news.example//host/a")
def test_canonicalising_twice_changes_nothing(url: str) -> None:
    try:
        once = canonicalise(url)
    except NotCanonical:
        return

    assert canonicalise(once) == once


@given(words, words, st.dictionaries(words, words, max_size=2))
def test_a_meaningful_parameter_keeps_articles_apart(one: str, other: str, common: dict[str, str]) -> None:
    first, second = (
        canonicalise(f"https://news.example/a?{urlencode({'id': value, **common})}&utm_source=rss")
        for value in (one, other)
    )

    assert (first == second) == ({"id": one, **common} == {"id": other, **common})


@given(words, words)
def test_different_paths_keep_articles_apart(one: str, other: str) -> None:
    first, second = (canonicalise(f"https://news.example/a/{quote(word, safe='')}z") for word in (one, other))

    assert (first == second) == (one == other)


@given(st.dictionaries(words.filter(lambda name: not name.lower().startswith("utm_")), words, max_size=4))
def test_every_meaningful_parameter_survives(parameters: dict[str, str]) -> None:
    wanted = {name: value for name, value in parameters.items() if name.lower() not in TRACKERS}

    canonical = canonicalise(f"https://news.example/a?{urlencode(parameters)}")

    assert dict(parse_qsl(urlsplit(canonical).query)) == wanted
