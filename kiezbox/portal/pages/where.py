"""Where: points around the box by what one needs now, how far, open or not, and what is said of
them; a page of each; a map without tiles. Without a package it says what to look for.

Drawing a dense city takes half a second: the map is made aside (``show_slowly``).
"""

from __future__ import annotations

from kiezbox.place.points import NEEDS, is_point_id
from kiezbox.portal.answered import Answer
from kiezbox.portal.asking import Ask, Job
from kiezbox.portal.places import Near, Surroundings, standings
from kiezbox.portal.points import distance_of, kind_of, moment_at, name_of, state_of, way_to
from kiezbox.portal.words import escape
from kiezbox.situation import is_exercise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kiezbox.place.drawing import Drawing
    from kiezbox.place.points import Point
    from kiezbox.portal.points import Moment, Said
    from kiezbox.store.log import Log

#: Points of one need on the first page, and on a page of its own.
FIRST, PAGE = 3, 15

#: What a resident may say, by the number of ``place.reports.STATES``.
SAYABLE = ("works", "closed", "broken")

#: Metres from the middle of the map to its edge; the second one is shown first.
REACHES_M = (250, 500, 1000, 2000, 4000)
MAP_POINTS = 24

#: Drawings that are kept, of 60 kB at most.
MOST_DRAWINGS = 12

_drawings: dict[Any, Drawing] = {}


def show(ask: Ask) -> Answer:
    around = Surroundings(ask)
    if not around:
        return _missing(ask)
    first, *more = ask.rest or ("",)
    if first == "map":
        return Answer(200, b"", is_slow=True)
    if first == "point" and more and (found := _found(around, more[0])):
        thanks = ask.text("where")["report"]["thanks"] if ask.query.get("said") else ""
        return _point(ask, around, found, thanks)
    if first in NEEDS:
        return _need(ask, around, first, more)
    return _overview(ask, around)


def show_slowly(ask: Ask) -> Answer:
    """The map."""
    around = Surroundings(ask)
    return _map(ask, around, list(ask.rest[1:])) if around else _missing(ask)


def send(ask: Ask) -> Answer | Job:
    """A report on a point."""
    around = Surroundings(ask)
    name = ask.rest[1] if len(ask.rest) == 2 and ask.rest[0] == "point" else ""
    found = _found(around, name) if around else None
    if found is None:
        return ask.see("where")
    words = ask.text("where")["report"]
    state = ask.form.get("state", "")
    if state not in SAYABLE:
        return _point(ask, around, found, words["choose"])
    fields = {
        "place": found.point.id,
        "state": SAYABLE.index(state),
        # Of this point only, so that nobody's ways can be read from their reports.
        "reporter": ask.forms.hashed(f"{ask.request.client} {found.point.id}"),
        "is_exercise": is_exercise(ask.facts),
    }
    once = ask.once

    def work(log: Log) -> Answer:
        from kiezbox.store.log import Draft

        log.add(Draft(kind="place_report", fields=fields, once=once))
        return ask.see("where", "point", f"{found.point.id}?said=1")

    return Job(work)


def _found(around: Surroundings, name: str) -> Near | None:
    return around.point(name) if is_point_id(name) else None


# --- lists ---------------------------------------------------------------------------------------


def _overview(ask: Ask, around: Surroundings) -> Answer:
    text = ask.text("where")
    shown = {need: around.near(kinds, FIRST) for need, kinds in NEEDS.items()}
    said = standings(ask, [each.point.id for near in shown.values() for each in near])
    moment = moment_at(ask, around)
    links = [f"<a href=#{need}>{text['needs'][need]}</a>" for need, near in shown.items() if near]
    links.append(f"<a href={ask.path('where', 'map')}>{text['map_link']}</a>")
    jumps = f'<nav aria-label="{text["title"]}">{" ".join(links)}</nav>'
    parts = [jumps + _origin(ask, around)]
    for need, near in shown.items():
        if not near:
            continue
        parts.append(f"<h2 id={need}>{text['needs'][need]}</h2>{_list(ask, near, said, moment)}")
        count = around.count(NEEDS[need])
        if count > len(near):
            link = text["all"].format(need=text["needs"][need], number=count)
            parts.append(f"<p><a href={ask.path('where', need)}>{link}</a></p>")
    return ask.page(text["title"], "".join(parts) + _sources(ask, around), has_forms=False)


def _need(ask: Ask, around: Surroundings, need: str, more: list[str]) -> Answer:
    text = ask.text("where")
    leaf = int(more[0]) if more and more[0].isdecimal() and len(more[0]) < 5 else 1
    kinds = NEEDS[need]
    near = around.near(kinds, PAGE, PAGE * (max(1, leaf) - 1))
    said = standings(ask, [each.point.id for each in near])
    listed = _list(ask, near, said, moment_at(ask, around)) or f"<p>{text['none']}</p>"
    further = ""
    if around.count(kinds) > PAGE * max(1, leaf):
        link = ask.path("where", need, str(max(1, leaf) + 1))
        further = f"<p><a href={link}>{text['further']}</a></p>"
    body = _origin(ask, around) + listed + further + _back(ask) + _sources(ask, around)
    return ask.page(text["needs"][need], body, has_forms=False)


def _list(ask: Ask, near: list[Near], said: dict[str, Said], moment: Moment | None) -> str:
    rows = "".join(f"<li>{_row(ask, each, said, moment)}</li>" for each in near)
    return f"<ul class=tasks>{rows}</ul>" if rows else ""


def _row(ask: Ask, near: Near, said: dict[str, Said], moment: Moment | None) -> str:
    point = near.point
    lead = " · ".join(each for each in (kind_of(ask, point), way_to(ask, near)) if each)
    lines = [lead, *state_of(ask, point, said.get(point.id, (None, None)), moment)]
    link = ask.path("where", "point", point.id)
    shown = "<br>".join(line for line in lines if line)
    return f"<a href={link}>{name_of(ask, point)}</a>{shown}"


# --- one point -----------------------------------------------------------------------------------


def _point(ask: Ask, around: Surroundings, near: Near, notice: str = "") -> Answer:
    text = ask.text("where")
    point = near.point
    said = standings(ask, [point.id]).get(point.id, (None, None))
    parts = [f"<p class=n role=status>{notice}</p>" if notice else ""]
    lead = " · ".join(each for each in (kind_of(ask, point), way_to(ask, near)) if each)
    state = "<br>".join(state_of(ask, point, said, moment_at(ask, around)))
    parts.append(f"<p>{lead}</p><p>{state}</p>")
    drinkable = point.details.get("drinkable", "unknown")
    if point.kind in NEEDS["water"] and drinkable != "yes":
        parts.append(f"<p>{text['drink_note'][drinkable]}</p>")
    parts.append(_facts(ask, point) + _form(ask, point))
    parts.append(f"<p><a href={ask.path('where', 'map')}>{text['on_map']}</a></p>{_back(ask)}")
    return ask.page(name_of(ask, point), "".join(parts) + _sources(ask, around))


def _facts(ask: Ask, point: Point) -> str:
    """Address, hours, telephone, and the details that have words."""
    text = ask.text("where")
    rows: list[tuple[str, str]] = []
    for label, value in (
        (text["address"], point.address if point.name else ""),
        (text["phone"], point.phone),
        (text["note"], point.details.get("note", "")),
    ):
        if value:
            rows.append((label, f"<bdi>{escape(value)}</bdi>"))
    known: dict[str, Any] = text["details"]
    words = [
        known[name][value]
        for name, value in point.details.items()
        if name in ("wheelchair", "fee", "emergency") and value in known.get(name, ())
    ]
    lines = "".join(f"<p>{label}: {value}</p>" for label, value in rows)
    if words:
        lines += f"<p>{' · '.join(words)}</p>"
    if "checked" in point.details:
        day = f"<bdi>{escape(point.details['checked'])}</bdi>"
        lines += f"<p><small>{text['checked'].format(day=day)}</small></p>"
    return lines


def _form(ask: Ask, point: Point) -> str:
    text = ask.text("where")["report"]
    buttons = "".join(
        f"<button name=state value={state}>{text[state]}</button>" for state in SAYABLE
    )
    action = ask.path("where", "point", point.id)
    return (
        f"<h2>{text['heading']}</h2><form method=post action={action}>"
        f"<p>{text['why']}</p>{ask.token_field()}{buttons}</form>"
    )


# --- the map -------------------------------------------------------------------------------------


def _map(ask: Ask, around: Surroundings, more: list[str]) -> Answer:
    from kiezbox.place import drawing

    text = ask.text("where")
    reach = int(more[0]) if more and more[0] in map(str, REACHES_M) else REACHES_M[1]
    near = _on_map(around, reach)
    words = text["map"]
    drawn = _drawn(ask, around, reach, near)
    by_id = {each.point.id: each for each in near}
    moment = moment_at(ask, around)
    said = standings(ask, list(by_id))
    items = "".join(
        f"<li>{'<br>'.join(_row(ask, by_id[point.id], said, moment) for point in group)}</li>"
        for group in drawn.numbered
    )
    links = []
    for step, label in ((1, "wider"), (-1, "closer")):
        place = REACHES_M.index(reach) + step
        if 0 <= place < len(REACHES_M):
            link = ask.path("where", "map", str(REACHES_M[place]))
            links.append(f"<a href={link}>{words[label]}</a>")
    legend = f"<p>{words['box']}</p>" if around.is_box_inside else ""
    body = (
        f'{drawn.svg}<nav aria-label="{words["title"]}">{" ".join(links)}</nav>'
        f"{legend}<p>{words['save']}</p>"
        f"<ol>{items}</ol>{_back(ask)}{_sources(ask, around)}"
    )
    return ask.page(words["title"], body, style=drawing.STYLE, has_forms=False)


def _drawn(ask: Ask, around: Surroundings, reach: int, near: list[Near]) -> Drawing:
    """The picture, kept: it is the same for everybody until the package or the box's place is
    another.
    """
    from kiezbox.place import drawing

    key = (around.stamp, reach, ask.language)
    if (found := _drawings.get(key)) is not None:
        return found
    words = ask.text("where")["map"]
    latitude, longitude = around.middle
    described = words["described" if around.is_box_inside else "described_middle"]
    found = drawing.drawn(
        around.lines(drawing.window(latitude, longitude, reach), drawing.kinds_at(reach)),
        [each.point for each in near],
        latitude=latitude,
        longitude=longitude,
        reach_m=reach,
        title=words["title"],
        description=described.format(reach=distance_of(ask, reach)),
        north=words["north"],
        measure=lambda metres: distance_of(ask, metres),
        has_box=around.is_box_inside,
    )
    if len(_drawings) >= MOST_DRAWINGS:
        _drawings.clear()
    _drawings[key] = found
    return found


def _on_map(around: Surroundings, reach: int) -> list[Near]:
    """The nearest of each need in turn, so that twenty pumps do not hide the only pharmacy."""
    rows = [around.near(kinds, MAP_POINTS) for kinds in NEEDS.values()]
    turns = [each for n in range(MAP_POINTS) for row in rows for each in row[n : n + 1]]
    inside = [each for each in turns if each.metres is None or each.metres < 1.4 * reach]
    kept = inside[:MAP_POINTS]
    return sorted(kept, key=lambda each: (each.metres or 0.0, each.point.id))


# --- around every page ---------------------------------------------------------------------------


def _origin(ask: Ask, around: Surroundings) -> str:
    text = ask.text("where")
    return f"<p><small>{text['from_box' if around.place else 'from_nowhere']}</small></p>"


def _back(ask: Ask) -> str:
    return f"<p><a href={ask.path('where')}>{ask.text('where')['back_list']}</a></p>"


def _sources(ask: Ask, around: Surroundings) -> str:
    """Whose data this is, under which licence, and how old."""
    text = ask.text("where")
    names = ", ".join(
        f"<bdi>{escape(name)}</bdi>" + (f" ({escape(licence)})" if licence else "")
        for name, licence, _ in around.sources()
    )
    lines = [text["sources"].format(sources=names)]
    if around.built_at:
        lines.append(text["built"].format(day=escape(around.built_at)))
    return f"<p><small>{'<br>'.join(lines)}</small></p>"


def _missing(ask: Ask) -> Answer:
    text = ask.text("where")
    items = "".join(f"<li>{each}</li>" for key, each in sorted(_looks(text).items()))
    body = f"<p>{text['missing']}</p><h2>{text['look']['heading']}</h2><ul>{items}</ul>"
    return ask.page(text["title"], body, below="where", has_forms=False)


def _looks(text: dict[str, Any]) -> dict[str, str]:
    return {key: each for key, each in text["look"].items() if key != "heading"}
