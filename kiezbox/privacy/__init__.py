"""Who may know what a sensor in somebody's flat measures, and where exactly a box stands.

An indoor sensor tells when people sleep, air, cook and are away. So nothing of it leaves the box,
by no publisher and on no public page, without a consent that was recorded (``consent``); and the
place that a box tells others is one of a grid that everybody can recompute (``grid``).
docs/privacy.md says it in plain words.
"""

from kiezbox.privacy.consent import CHANGES, EVERYTHING, PORTAL, Consent, Consents, read_ledger
from kiezbox.privacy.grid import public_box, snapped

__all__ = [
    "CHANGES", "EVERYTHING", "PORTAL", "Consent", "Consents", "public_box", "read_ledger",
    "snapped",
]  # fmt: skip
