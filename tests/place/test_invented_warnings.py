"""The invented Kiez's warnings are read by the same reader as real ones."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

from shared import shared_data

from kiezbox.place.invented import warnings
from kiezbox.sources._cap import read_cap

NOW = 1_767_466_800.0


def test_each_is_read_as_an_exercise_in_two_languages() -> None:
    for document in warnings(NOW):
        found = read_cap(document, language="de")

        assert found is not None
        assert found.is_exercise == 1
        assert found.sent_at < NOW < (found.ends_at or 0)
        assert set(json.loads(found.texts)) == {"de", "en"}
        assert "erfunden" in found.issuer


def test_they_use_the_words_of_the_standard_and_no_others() -> None:
    schema = ElementTree.parse(shared_data("warn/cap12.xsd"))
    allowed = {each.get("value") for each in schema.iter() if each.tag.endswith("enumeration")}

    for document in warnings(NOW):
        words = [document[name] for name in ("status", "msgType", "scope")]
        for info in document["info"]:
            words += [info[name] for name in ("urgency", "severity", "certainty")]
            words += info["category"]
        assert set(words) <= allowed
