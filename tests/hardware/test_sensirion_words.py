"""Sensirion's words and checksums, as the simulated chips speak them."""

from __future__ import annotations

import pytest

from kiezbox.hardware.simulated._sensirion import Done, SensirionChip, checked, crc, nack, words


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        # Printed in the data sheets: SHT3x-DIS table 20 and SCD4x table 31 (0xBEEF), SGP40 tables
        # 10 and 11 (the others: -45 and 25 °C, 50 and 100 %).
        (0xBEEF, 0x92),
        (0x0000, 0x81),
        (0x6666, 0x93),
        (0x8000, 0xA2),
        (0xFFFF, 0xAC),
    ],
)
def test_the_checksum_is_that_of_the_data_sheets(word: int, expected: int) -> None:
    assert crc(word.to_bytes(2, "big")) == expected


def test_words_are_taken_apart_as_they_were_put_together() -> None:
    assert words(checked(0x8000, 0x6666)) == [0x8000, 0x6666]
    assert words(b"") == []


@pytest.mark.parametrize("data", ["8000a3", "0000a2", "8000", "8000a266"])
def test_a_wrong_or_a_missing_piece_is_no_word(data: str) -> None:
    assert words(bytes.fromhex(data)) is None


class Echo(SensirionChip):
    """Says its argument after a second; power-on is noted."""

    starts = 0

    def start(self) -> None:
        self.starts += 1

    def carry_out(self, command: int, arguments: list[int]) -> Done:
        if command != 0x1234:
            raise nack()
        return Done(1.0, arguments)


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_chip_answers_once_and_only_when_it_has_done_its_work() -> None:
    watch = Watch()
    chip = Echo(clock=watch)

    chip.write(bytes.fromhex("1234 beef92"))
    with pytest.raises(OSError, match="no acknowledge"):
        chip.read(3)
    with pytest.raises(OSError, match="no acknowledge"):
        chip.write(b"")
    watch.now = 1.0

    assert chip.read(3).hex() == "beef92"
    with pytest.raises(OSError, match="no acknowledge"):
        chip.read(3)
    assert chip.commands == [0x1234]


@pytest.mark.parametrize("data", ["12", "1234 beef93", "1234 be", "4321"])
def test_what_is_no_command_is_not_acknowledged(data: str) -> None:
    chip = Echo()

    with pytest.raises(OSError) as raised:
        chip.write(bytes.fromhex(data))

    assert raised.value.errno == 121
    assert chip.commands == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("wrong_crc", "beef93"), ("stuck_high", "ffffff"), ("stuck_low", "000000")],
)
def test_a_fault_changes_what_is_read(fault: str, expected: str) -> None:
    watch = Watch()
    chip = Echo(clock=watch)
    chip.fault = fault
    chip.write(bytes.fromhex("1234 beef92"))
    watch.now = 1.0

    assert chip.read(3).hex() == expected


def test_a_chip_plugged_in_again_starts_anew_and_owes_no_answer() -> None:
    watch = Watch()
    chip = Echo(clock=watch)
    chip.write(bytes.fromhex("1234 beef92"))
    chip.fault = "silence"
    chip.fault = None
    watch.now = 1.0

    assert chip.starts == 2
    with pytest.raises(OSError, match="no acknowledge"):
        chip.read(3)


def test_a_fault_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="wrong_crc"):
        Echo().fault = "unknown"
