"""About this box: what it is, who answers for it, what becomes of what people write, who helps.

What the operator has not said (``[operator]`` in kiezbox.toml) is called missing, in plain words:
nobody shall look for a name that is nowhere.
"""

from __future__ import annotations

from kiezbox.portal.asking import Ask
from kiezbox.portal.clip import clip_of
from kiezbox.portal.words import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kiezbox.portal.answered import Answer

#: The parts in the order of the page; each is a heading and sentences (``i18n/…/about.po``).
PARTS = ("what", "who", "privacy", "access", "exercise", "join", "licences")


def show(ask: Ask) -> Answer:
    text = ask.text("about")
    if ask.rest:
        return _clip(ask)
    operator = {
        name: escape(value) for name, value in ask.facts["operator"].items() if value is not None
    }
    contact = operator.get("contact", text["missing"]["contact"])
    basis = operator.get("privacy_basis", text["missing"]["privacy_basis"])
    body = ""
    for part in PARTS:
        if part == "who":
            body += _part(text["who"]["title"], _who(ask, operator))
            continue
        sentences = [
            each.format(contact=f"<bdi>{contact}</bdi>", basis=f"<bdi>{basis}</bdi>")
            for each in text[part]["says"]
        ]
        body += _part(text[part]["title"], "".join(f"<p>{each}</p>" for each in sentences))
    if clip_of(ask.sight):
        body = f"<p><a href={ask.path('about', 'clip')}>{text['clip']}</a></p>{body}"
    body += f"<p><a href={ask.path('poster')}>{text['poster']}</a></p>"
    return ask.page(text["title"], body, has_forms=False)


def _clip(ask: Ask) -> Answer:
    """``/about/clip``, a page with the film, and ``/about/clip/film``, pieces of it."""
    clip = clip_of(ask.sight)
    if clip and ask.rest == ("clip", "film"):
        piece = clip.piece(ask.request.headers.get("range", ""))
        return piece or ask.see("about", "clip")
    if clip is None or ask.rest != ("clip",):
        return ask.see("about")
    text = ask.text("about")
    film = ask.path("about", "clip", "film")
    body = (
        f'<video controls playsinline preload=none src={film} aria-label="{text["clip"]}"></video>'
    )
    body += f"<p><a href={ask.path('about')}>{text['title']}</a></p>"
    page = ask.page(text["clip"], body, style="video{width:100%;margin:1rem 0}", has_forms=False)
    page.headers = [(name, _with_film(name, value)) for name, value in page.headers]
    return page


def _with_film(name: str, value: str) -> str:
    """The policy of all pages, and for this one: films of ours."""
    return f"{value}; media-src 'self'" if name == "Content-Security-Policy" else value


def _part(title: str, body: str) -> str:
    return f"<h2>{title}</h2>{body}"


def _who(ask: Ask, operator: dict[str, str]) -> str:
    text = ask.text("about")
    rows = ""
    for name in ("controller", "contact"):
        said = operator.get(name)
        value = f"<bdi>{said}</bdi>" if said else f"<b>{text['missing'][name]}</b>"
        rows += f"<p>{text['who'][name]}<br>{value}</p>"
    return rows + f"<p>{ask.text()['never_ask']}</p>"
