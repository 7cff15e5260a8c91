"""The generator's messages are CAP 1.2, as the standard's own schema judges them."""

from __future__ import annotations

import caps
import pytest
import xmlschema
from shared import shared_data

NOW = 1_767_466_800.0

FIRST = caps.message(1, NOW)

MESSAGES = {
    "alert": FIRST,
    "update": caps.message(2, NOW, msgType="Update", references=caps.referring(FIRST)),
    "all-clear": caps.message(
        3,
        NOW,
        [caps.info(NOW, responseType=["AllClear"], expires=None)],
        msgType="Cancel",
        references=caps.referring(FIRST),
    ),
    "exercise": caps.message(4, NOW, status="Exercise", note="Landesweite Übung"),
}


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    """OASIS's cap12.xsd, which lies beside the checkout."""
    return xmlschema.XMLSchema(str(shared_data("warn/cap12.xsd")))


@pytest.mark.parametrize("name", MESSAGES)
def test_the_generators_messages_are_valid_cap(name: str, schema: xmlschema.XMLSchema) -> None:
    schema.validate(caps.xml(MESSAGES[name]).decode())


def test_the_judge_knows_what_is_not_cap(schema: xmlschema.XMLSchema) -> None:
    # The standard wants an offset in words, and no Z (CAP 1.2, 3.3.2).
    assert not schema.is_valid(caps.xml({**FIRST, "sent": "2026-01-03T19:00:00Z"}).decode())
