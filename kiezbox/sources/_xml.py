"""XML from strangers: no entities, no document type, bounded in depth and in elements.

What comes out has the shape of CAP's JSON: an element with elements in it is a table of lists by
their local names, another one is its text. So CAP 1.0, 1.1 and 1.2 are read the same way, and
whatever a signature or an extension adds is there and not looked at.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from kiezbox.errors import SourceError

__all__ = ["read_xml"]

#: CAP has five levels; a warning for all of a country in eight languages 30,000 elements.
MOST_DEPTH, MOST_ELEMENTS = 12, 400_000


def read_xml(data: bytes, root: str) -> dict[str, Any]:
    """The content of the outermost element, which must be called ``root``.

    Raises:
        SourceError: not well-formed (a cut one is not), with entities, too deep, or another root.
    """
    reader = _Reader(root)
    # A blank between namespace and name occurs in no name.
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise SourceError(f"not XML: {error}", kind="garbled") from error
    return reader.found


def _refuse(*_: Any) -> int:
    raise SourceError("XML with a document type or entities of its own", kind="garbled")


class _Reader:
    def __init__(self, root: str) -> None:
        self.found: dict[str, Any] = {}
        self._root = root
        self._count = 0
        #: For each open element: its local name, what is in it, its text.
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []

    def start(self, name: str, _: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self._count += 1
        if len(self._open) >= MOST_DEPTH or self._count > MOST_ELEMENTS:
            raise SourceError("XML that is too deep or too long", kind="garbled")
        if not self._open and local != self._root:
            raise SourceError(f"XML of something else: {local[:40]}", kind="garbled")
        self._open.append((local, {}, []))

    def end(self, _: str) -> None:
        name, inside, text = self._open.pop()
        if not self._open:
            self.found = inside
            return
        self._open[-1][1].setdefault(name, []).append(inside or "".join(text).strip())

    def text(self, data: str) -> None:
        self._open[-1][2].append(data)
