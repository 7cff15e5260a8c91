"""How far a value can be believed: rules over what drivers return, before anything is stored.

Pure: values go in, flags and reasons come out, and nothing is ever changed or thrown away. The
numbers stand in ``limits``, a row per quantity with its sources; docs/quality.md says what each
rule is for and how well it does.
"""

from kiezbox.quality.corrections import SUFFIX, corrected
from kiezbox.quality.judge import Judge
from kiezbox.quality.limits import LIMITS, Limits, limits_of
from kiezbox.quality.reasons import REASONS, Reason
from kiezbox.quality.wishes import rows_of, wrong_wishes
from kiezbox.quality.witness import Witness

__all__ = [
    "LIMITS",
    "REASONS",
    "SUFFIX",
    "Judge",
    "Limits",
    "Reason",
    "Witness",
    "corrected",
    "limits_of",
    "rows_of",
    "wrong_wishes",
]
