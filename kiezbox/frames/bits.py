"""Bits in a row, the highest of each byte first. Bounded: nothing is read past the end."""

from __future__ import annotations

from kiezbox.frames.header import BadFrame

__all__ = ["BitReader", "BitWriter"]

#: The longest prefix of zeros of a ``gamma``: no number of ours has more than 40 bits.
_GAMMA_ZEROS = 40


class BitWriter:
    """Collects bits; ``getvalue()`` fills up the last byte with zeros.

    >>> writer = BitWriter()
    >>> writer.put(5, 3); writer.put(1, 2)
    >>> writer.getvalue().hex()
    'a8'
    """

    def __init__(self) -> None:
        self._bits = 0
        self.length = 0

    def put(self, number: int, width: int) -> None:
        """The lowest ``width`` bits of a number that has no more.

        Raises:
            ValueError: it has more, or is negative.
        """
        if not 0 <= number < 1 << width:
            raise ValueError(f"{number} does not fit into {width} bits")
        self._bits = self._bits << width | number
        self.length += width

    def gamma(self, number: int) -> None:
        """A number from 0 on, small ones short: Elias' gamma code of number + 1."""
        width = (number + 1).bit_length()
        if number < 0 or width > _GAMMA_ZEROS:
            raise ValueError(f"{number} has no gamma code here")
        self.put(number + 1, 2 * width - 1)

    def put_bytes(self, data: bytes) -> None:
        self.put(int.from_bytes(data, "big"), 8 * len(data))

    def getvalue(self) -> bytes:
        size = (self.length + 7) // 8
        return (self._bits << 8 * size - self.length).to_bytes(size, "big")


class BitReader:
    """Takes bits from bytes.

    >>> reader = BitReader(b"\\xa8")
    >>> reader.take(3), reader.take(2), reader.left
    (5, 1, 3)
    """

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "big")
        self.left = 8 * len(data)

    def take(self, width: int) -> int:
        """The next so many bits as a number.

        Raises:
            BadFrame: there are not so many left.
        """
        if width > self.left:
            raise BadFrame("a frame that was cut short")
        self.left -= width
        return self._bits >> self.left & (1 << width) - 1

    def gamma(self) -> int:
        """A number written by ``BitWriter.gamma``."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros >= _GAMMA_ZEROS:
                raise BadFrame("a number that is too long")
        return (1 << zeros | self.take(zeros)) - 1

    def take_bytes(self, count: int) -> bytes:
        return self.take(8 * count).to_bytes(count, "big")

    def end(self) -> None:
        """Nothing may be left but the zeros that fill up the last byte.

        Raises:
            BadFrame: there is more.
        """
        if self.left >= 8 or self.take(self.left):
            raise BadFrame("a frame with something behind its end")
