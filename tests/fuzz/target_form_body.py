"""Form bodies, queries and tokens: what a browser, or a script, sends to a page."""

from __future__ import annotations

from kiezbox.portal.asking import _MOST_FIELDS, Ask
from kiezbox.portal.forms import Forms
from kiezbox.portal.request import MOST_BODY, Request

FORMS = Forms(b"s" * 32, monotonic=lambda: 1000.0)
TOKEN = FORMS.token("10.42.0.7")

SEEDS = [
    b"token=" + TOKEN + b"&topic=0&hours=24&text=Suche+Kerzen+%F0%9F%95%AF%0D%0AHaus+7",
    b"a=1&a=2&b=&=c&d&needs=1&needs=2&e=%ZZ&f=%&g=%F0%9F&h=+%2B&i=\xc3\xbc",
    b"token=" + TOKEN[:-1] + b"0&x=" + b"%C3%BC" * 9,
    b"&".join(b"x%d" % n for n in range(66)),
]


def one(data: bytes) -> None:
    """Names and values that are text; no token but the one that was given is good."""
    data = data[:MOST_BODY]
    request = Request(
        "POST", "", "/de/board", data[:40].decode("latin-1"), {}, body=data, client="10.42.0.7"
    )
    ask = Ask(request, None, FORMS, "de", "board", ())  # type: ignore[arg-type]
    pairs = ask.pairs
    assert len(pairs) <= _MOST_FIELDS
    assert ask.form == {name: value for name, value in reversed(pairs)}
    for name, value in (*pairs, *ask.query.items()):
        assert name
        (name + value).encode()
    assert ask.is_token_good() == (ask.form.get("token") == TOKEN.decode())
    for token in (data[:60].decode("latin-1"), data[:60].decode("utf-8", "replace")):
        assert FORMS.is_good("10.42.0.7", token) == (token == TOKEN.decode())
    assert len(ask.once) == 16
