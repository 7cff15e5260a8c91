"""About this box: what it is, who answers for it, what becomes of what people write, who helps.

What the operator has not said (``[operator]`` in kiezbox.toml) is called missing, in plain words:
nobody shall look for a name that is nowhere.
"""

from __future__ import annotations

from kiezbox.portal.asking import Ask
from kiezbox.portal.words import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kiezbox.portal.answered import Answer

#: The parts in the order of the page; each is a heading and sentences (``i18n/…/about.po``).
PARTS = ("what", "who", "privacy", "access", "exercise", "join", "licences")


def show(ask: Ask) -> Answer:
    text = ask.text("about")
    if ask.rest:
        return ask.see("about")
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
    body += f"<p><a href={ask.path('poster')}>{text['poster']}</a></p>"
    return ask.page(text["title"], body, has_forms=False)


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
