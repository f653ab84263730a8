import pytest

from qdcomp.report.pages.number_text import MISSING, format_duration, format_measured, format_plain


@pytest.mark.parametrize(
    ("value", "error", "unit", "text"),
    [
        (127.93, 18.7, "meV", "128 ± 19 meV"),
        (127.93, 31.0, "meV", "130 ± 30 meV"),
        (2.39996, 0.00192, "eV", "2.4000 ± 0.0019 eV"),
        (-0.0123, 0.004, "", "−0.012 ± 0.004"),
        (9.96, 0.98, "", "10.0 ± 1.0"),
        (23.08, None, "meV", "23.1 meV"),
        (23.08, 0.0, "", "23.1"),
        (None, 1.0, "meV", MISSING),
        (float("nan"), 1.0, "meV", MISSING),
        (12345.0, 678.0, "K", "12300 ± 700 K"),
    ],
)
def test_digits_follow_the_error(value, error, unit, text):
    assert format_measured(value, error, unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (1234.6, "1235"), (0.01234, "0.0123"), (1.5e-7, "1.50e-07"), (None, MISSING)],
)
def test_plain_numbers(value, text):
    assert format_plain(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3.24, "3.2 s"), (33.1, "33 s"), (200.0, "3 min 20 s"), (18190.0, "5 h 03 min"),
     (None, MISSING)],
)  # fmt: skip
def test_durations(seconds, text):
    assert format_duration(seconds) == text
