"""The table ``[place]`` of kiezbox.toml: where the points and streets around the box come from."""

from __future__ import annotations

from dataclasses import dataclass

from kiezbox.settings.declaring import setting

#: The package's folder and file, beside the database.
BESIDE = "place/place.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSettings:
    """``[place]``"""

    package: str = setting(
        "",
        help="The package of points and streets that the page 'Where' shows (docs/place.md).\n"
        "By default place/place.db beside the database; `kiezbox place install` puts it there.",
    )

    def path(self, store_path: str) -> str:
        """Where the package is."""
        folder, slash, _ = store_path.rpartition("/")
        return self.package or f"{folder}{slash}{BESIDE}"
