"""What a box said it had stored, held against what is there after the cut.

Everything a store keeps is seen as registers: a key, and the value it holds. For each the ledger
knows the value that was confirmed, and those that were under way when the power went; after a cut
the store must hold one of these. What it then holds is confirmed: a reader has seen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Key = tuple[Any, ...]

#: The value of a register that is not there.
ABSENT = None


@dataclass(slots=True)
class Ledger:
    sure: dict[Key, Any] = field(default_factory=dict)
    hoped: dict[Key, list[Any]] = field(default_factory=dict)
    #: Ids handed out, ever: a second one is a lie to every receiver.
    ids: set[Key] = field(default_factory=set)
    boot: int = 0

    # --- what the box says; each is one message of a life --------------------------------

    def will(self, key: Key, value: Any) -> list[str]:
        """The box is about to store it."""
        self.hoped.setdefault(key, []).append(value)
        return []

    def did(self, key: Key, value: Any) -> list[str]:
        """The box has confirmed it."""
        later = self.hoped.get(key, [])
        if value in later:
            self.hoped[key] = later[later.index(value) + 1 :]
        self.sure[key] = value
        return []

    def gave(self, key: Key) -> list[str]:
        """The box has given out an id."""
        if key in self.ids:
            return [f"the id {key} was given out twice"]
        self.ids.add(key)
        return []

    def opened(self, boot: int) -> list[str]:
        """The box has started."""
        before, self.boot = self.boot, max(self.boot, boot)
        return [f"boot {boot} comes after boot {before}"] if boot <= before else []

    def found(self, there: Mapping[Key, Any]) -> list[str]:
        """The box shows all it has; returns what is lost, changed or from nowhere."""
        wrong = []
        for key in [*self.sure, *(k for k in self.hoped if k not in self.sure)]:
            confirmed = self.sure.get(key, ABSENT)
            hoped = self.hoped.get(key, [])
            value = there.get(key, ABSENT)
            if value != confirmed and value not in hoped:
                also = f", nor was {hoped} under way" if hoped else ""
                wrong.append(f"{key}: confirmed {confirmed}{also}, but found {value}")
        wrong += [
            f"{key}: found {value} from nowhere"
            for key, value in there.items()
            if key not in self.sure and key not in self.hoped
        ]
        self.sure = {key: there.get(key, ABSENT) for key in {*self.sure, *there}}
        self.hoped = {}
        return wrong
