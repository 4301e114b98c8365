"""Card, account and identity numbers in an answer: hidden but for their end, everything else as it was."""

import pytest

from afterword import paige


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("My card is 4111 1111 1111 1111, please", "My card is •••• •••• •••• 1111, please"),
        ("4111111111111111", "••••••••••••1111"),
        ("5500-0000-0000-0004.", "••••-••••-••••-0004."),
        ("Amex 3782 822463 10005", "Amex •••• •••••• •0005"),
        ("Account DE89 3704 0044 0532 0130 00", "Account •••• •••• •••• •••• ••30 00"),
        ("gb82west12345698765432", "••••••••••••••••••5432"),
        ("SSN 078-05-1120", "SSN •••-••-1120"),
        ("NI number QQ 12 34 56 C and AB 12 34 56 C", "NI number QQ 12 34 56 C and •• •• •4 56 C"),
        ("DNI 12345678Z", "DNI •••••678Z"),
    ],
)
def test_such_a_number_is_hidden_up_to_its_end(text, masked):
    assert paige.mask(text) == masked
    assert paige.mask(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "It was 48,000 a year, 20 percent more, from 2024-01-15 to 2025-01-15",
        "Call me at +49 30 1234 5678 or (415) 555-2671 or 0151 23456789",
        "We had 1234567890 rows and 4111111111111112 bytes",
        "Order 2024 0115 2025 0116 was late",
        "Version 4.11.1111.1111 and 10.0.0.1",
        "In 2023 2024 2025 2026 we grew",
        "0000 0000 0000 0000",
        "DE12 is a street, DE89 3704 0044 0531 0130 01 is no account",
        "Wir hatten 12345 Tickets im Mai und 7 im Juni",
        "",
        "👍" * 40,
    ],
)
def test_other_numbers_stay_as_they_are(text):
    assert paige.mask(text) == text


def test_a_long_paste_is_masked_in_time():
    assert paige.mask("1" * 20_000) == "1" * 20_000
    assert paige.mask("DE12 " * 4000)
