"""The style sheets, inside the pages: ``STYLE`` in every one, ``INNER`` in those of ``ask.page``.

What there is to use (the words in front are tags or classes):

- ``label`` around or before ``input``, ``textarea``, ``select``: as wide as the page and as high as
  a finger. Radio buttons and boxes to tick stand in a ``label`` inside a ``fieldset`` with a
  ``legend``; each label is a row of its own to touch. ``small`` inside a label: a hint.
- ``<p class=error role=alert>``: why a form was not taken. ``<p class=ok role=status>``: it was.
  ``<p class=n>``: what must be known first.
- ``article``: a card. ``article.official`` has a green edge, ``article.neighbours`` a broken one.
  ``<ul class=cards>``: each ``li`` a card, a link in it alone on a line as high as a finger.
- ``<b class=official>``: a green shield before the issuer's name; ``<small>`` for "of the
  operator", "of neighbours, unchecked".
- ``<nav class=pages>``: older and newer. ``<ul class=tasks>``: large links, each with a
  ``pictogram("where")`` (``portal.pictograms``) before its words.
- ``<a class=button>``: a link that looks like a button; ``button.quiet``: one that is not the first
  thing to do.
- ``.noprint``: not on paper. On paper there is neither navigation nor form; black on white.
- Colours: ``var(--b)`` ground, ``--t`` text, ``--m`` muted text, ``--l`` lines, ``--a`` links,
  ``--w`` ground of notes, ``--g`` official green.

Contrast is at least 7:1 in both colour schemes (a test computes it). The yellow of the exercise
is a colour that nothing else has. 1.2rem: read at arm's length, by candle light, by somebody old.
"""

from __future__ import annotations

from math import acos, cos, degrees, radians, tan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kiezbox.situation import Facts

__all__ = ["BESIDE", "INNER", "NIGHT", "STYLE", "is_night", "style_of"]

_DARK = "@media(prefers-color-scheme:dark)"

STYLE = (
    f"""\
:root{{color-scheme:light dark;--b:#fff;--t:#14181c;--m:#474f57;--l:#c8ced4;--a:#0b4a8f;\
--w:#fff3cd;--g:#0d5a2a}}\
{_DARK}{{:root{{--b:#0e1114;--t:#f4f4f2;--m:#b9c0c7;--l:#3a424a;\
--a:#9cc9ff;--w:#3b3000;--g:#8fdcaa}}}}\
"""
    + """\
body{margin:0 auto;max-width:38rem;padding:0 1rem 2rem;font:1.2rem/1.4 system-ui,sans-serif;\
background:var(--b);color:var(--t);overflow-wrap:anywhere}\
header{margin:0 -1rem;padding:.4rem 1rem .8rem;background:#34404c;color:#fff}\
.e header{background:#8c1414}.n header{background:#0d5a2a}\
h1{font-size:1.9rem;line-height:1.15;margin:.4rem 0}h2{font-size:1.35rem;margin:1.5rem 0 .4rem}\
p{margin:.5rem 0}a{color:var(--a)}header a{color:#fff}\
nav a,footer a{display:inline-block;padding:.55rem 0;margin-inline-end:1rem;min-width:2.8rem}\
summary{display:list-item;padding:.55rem 0;cursor:pointer}\
footer small a{padding:.7rem 0}\
p>a:only-child{display:inline-block;padding:.55rem 0}header p{margin:.35rem 0}\
form p{margin:.7rem 0 .4rem}\
button,.button{font:inherit;font-weight:700;width:100%;padding:.8rem;border:0;border-radius:.5rem;\
background:#0b4a8f;color:#fff}:focus-visible{outline:.2rem solid var(--a);outline-offset:.2rem}\
.x{margin:0 -1rem;padding:.6rem 1rem;background:#ffd600;color:#000;font-weight:700;\
font-size:1.5rem;border:.5rem dashed #000;text-align:center}\
.n p.n,p.n{background:var(--w);border-inline-start:.4rem solid #d08700;padding:.6rem .8rem;\
margin:1rem 0}\
ol{padding-inline-start:1.6rem;margin:.4rem 0}li{margin:.5rem 0}\
article{border:2px solid var(--l);border-radius:.5rem;padding:.2rem .8rem;margin:.8rem 0;\
overflow:hidden}article p{white-space:pre-line}small,.o{color:var(--m);font-size:1rem}\
.official{color:var(--g);border-color:var(--g)}b.official:before{content:"";display:inline-block;\
width:.85em;height:1em;margin-inline-end:.35em;vertical-align:-.1em;background:currentColor;\
print-color-adjust:exact;clip-path:polygon(50% 0,100% 15%,100% 55%,50% 100%,0 55%,0 15%)}\
article.official{color:inherit}.neighbours{border-style:dashed}\
.clear{background:#0d5a2a;print-color-adjust:exact}\
article.clear,.clear a,.clear b,.clear small{color:#fff}\
.tasks{list-style:none;padding:0}.tasks a{display:block;padding:.55rem 0}\
.pic{width:1.5em;height:1.5em;vertical-align:-.45em;margin-inline-end:.4em;fill:none;\
stroke:currentColor;stroke-width:2;flex:none}\
table{border-collapse:collapse;width:100%}td,th{text-align:start;font-weight:400;hyphens:auto;\
padding:.35rem 0;padding-inline-end:.3rem;border-bottom:1px solid var(--l);vertical-align:top}\
td{font-weight:700;width:45%}\
@media print{:root{color-scheme:light;--b:#fff;--t:#000;--m:#333;--l:#777;--a:#000;--w:#fff;\
--g:#000}header{background:#fff!important;color:#000;border-bottom:2px solid}\
nav,form,.noprint,footer p:first-child{display:none}article,li{break-inside:avoid}}"""
)


def _rules(first: str, last: str) -> str:
    """Of ``STYLE``, from one rule's beginning to another one's end."""
    begin = STYLE.index(first)
    return STYLE[begin : STYLE.index("}", STYLE.index(last, begin)) + 1]


#: Rules that a page may do without, by what must be in it: a page on the air has 3 kB, and these
#: are a fifth of it.
_SOMETIMES = {
    '<p class="x"': _rules(".x{", ".x{"),
    "<ol": _rules("ol{", "ol{"),
    "<article": _rules("article{", "article p{"),
    "official": _rules(".official{", "article.official{"),
    "neighbours": _rules(".neighbours{", ".neighbours{"),
    "clear": _rules(".clear{", "article.clear,"),
    "class=tasks": _rules(".tasks{", ".tasks a{"),
    "class=pic": _rules(".pic{", ".pic{"),
    "<table": _rules("table{", "td{"),
    "<summary": _rules("summary{", "summary{"),
    "button": _rules("button,.button{", "button,.button{"),
}

#: Black though the phone may be set to light: the eyes of somebody in a dark flat are used to it,
#: and many screens need less for it.
NIGHT = STYLE.replace("light dark", "dark", 1).replace(_DARK, "@media all", 1)

#: Of all pages but the first one: forms, cards, pages of a list.
INNER = """\
label,legend{display:block;padding:.6rem 0;font-weight:700}fieldset label{font-weight:400}\
label small{display:block;font-weight:400}fieldset{border:0;padding:0;margin:.6rem 0;min-width:0}\
input,textarea,select{font:inherit;font-weight:400;color:inherit;background:var(--b);width:100%;\
box-sizing:border-box;min-height:2.9rem;padding:.5rem;border:2px solid var(--m);\
border-radius:.3rem}\
[type=radio],[type=checkbox]{width:1.5rem;height:1.5rem;min-height:0;margin:0;\
margin-inline-end:.7rem;vertical-align:-.3rem}\
label:has(>[type=radio],>[type=checkbox]){padding-inline-start:2.2rem;text-indent:-2.2rem}\
form{margin:1rem 0}button{margin-top:.6rem}.button{display:block;text-align:center;\
box-sizing:border-box;text-decoration:none;margin:.8rem 0}\
.quiet{background:none;color:var(--a);border:.15rem solid}\
.error,.ok{border:.15rem solid #d33;border-inline-start-width:.5rem;padding:.6rem .8rem}\
.ok{border-color:var(--g)}\
.cards{list-style:none;padding:0}.cards>li{border:2px solid var(--l);border-radius:.5rem;\
padding:.3rem .8rem;margin:.7rem 0}.cards>li>a{display:inline-block;padding:.55rem 0}\
.pages{display:flex;justify-content:space-between}"""

#: What only few pages need: drawings, codes, numbers to call.
BESIDE = """\
figure{margin:.9rem 0}p bdi{display:inline-block}\
svg{display:block;width:100%;max-width:17rem;margin:.3rem 0}\
.k{width:fit-content;max-width:17rem;box-sizing:border-box;border:.2rem solid var(--a);\
border-radius:.4rem;padding:.5rem .7rem;margin:-.3rem 0 1.2rem;font-weight:700}\
.q{display:flex;flex-wrap:wrap;gap:0 1rem}.q figure{width:9rem}\
.t{list-style:none;padding:0}.t a{display:inline-block;font-size:2rem;padding:.3rem .8rem .3rem 0}\
.l button{background:none;color:var(--a);border:.15rem solid}"""


def style_of(facts: Facts, page: str) -> str:
    """``NIGHT`` after dark, else ``STYLE``, which does as the phone is set; without the rules that
    nothing on this page (as HTML, its own part) needs.
    """
    whole = NIGHT if is_night(facts) else STYLE
    for sign, rule in _SOMETIMES.items():
        if sign not in page:
            whole = whole.replace(rule, "", 1)
    return whole


def is_night(facts: Facts) -> bool:
    """Whether the sun is down where the box stands, to a quarter of an hour or so; False where the
    box knows neither the time nor the place, or has midnight sun.

    The hour angle of sunset is acos(−tan latitude · tan declination), the declination −23.44° ·
    cos(360°/365 · (day + 10)) (P. I. Cooper, "The absorption of radiation in solar stills", Solar
    Energy 12, 1969, in its form with the cosine).
    """
    latitude, longitude = facts["box"]["latitude"], facts["box"]["longitude"]
    if latitude is None or longitude is None or facts["clock_trusted"] is not True:
        return False
    days = facts["now"] / 86400 + longitude / 360
    # 1970 began a year; 365.2425 days are a year of the calendar on the average.
    declination = -23.44 * cos(radians(360 / 365 * (days % 365.2425 + 10)))
    height = -tan(radians(latitude)) * tan(radians(declination))
    half_day = degrees(acos(min(1.0, max(-1.0, height))))
    return bool(abs(days % 1 - 0.5) * 360 > half_day)
