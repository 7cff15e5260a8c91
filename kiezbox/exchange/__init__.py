"""What one box knows, its neighbours know: rules without any I/O, the same on every bearer."""

from kiezbox.exchange.exchange import Bearer, Exchange, Sending
from kiezbox.exchange.holdings import Holdings, fingerprint_of
from kiezbox.exchange.messages import Digest, Entry, Give, Gone, Item, Message, Want
from kiezbox.exchange.offers import Measure
from kiezbox.exchange.ranges import Ranges
from kiezbox.exchange.trickle import Pace

__all__ = [
    "Bearer", "Digest", "Entry", "Exchange", "Give", "Gone", "Holdings", "Item", "Measure",
    "Message", "Pace", "Ranges", "Sending", "Want", "fingerprint_of",
]  # fmt: skip
