"""Numbers nobody asked for, such as of cards and bank accounts, made unreadable but for their last four digits."""

import re

_SHOWN = 4

# As they are printed on cards: fours, or 4-6-5 and 4-6-4, or in one piece; and as the networks number them.
_FIRST = r"(?:[3-6]\d\d\d|2[2-7]\d\d)"
_CARD = re.compile(
    rf"(?<![\w.,-])(?:{_FIRST}(?P<s>[ -])\d{{4}}(?P=s)\d{{4}}(?P=s)\d{{1,4}}(?:(?P=s)\d{{1,3}})?|"
    rf"{_FIRST}(?P<t>[ -])\d{{6}}(?P=t)\d{{4,5}}|{_FIRST}\d{{9,15}})(?![\w-]|[.,]\d)"
)
_IBAN = re.compile(r"(?<!\w)[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?(?!\w)")
# Social security (US), national insurance (UK), tax and identity numbers that a letter makes unmistakable (ES, IT).
_IDENTITY = re.compile(
    r"(?<![\w-])(?:\d{3}-\d{2}-\d{4}|[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]|[XYZ]?\d{7,8}-?[A-HJ-NP-TV-Z]|"
    r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z])(?![\w-])"
)


def mask(text: str) -> str:
    """The text with card, account and identity numbers hidden up to their last four characters; its length is kept.

    A card must pass its check digit and an account number its remainder, so that other numbers stay as they are.
    """
    text = _IBAN.sub(lambda match: _hidden(match[0]) if _is_iban(match[0]) else match[0], text)
    text = _CARD.sub(lambda match: _hidden(match[0]) if _is_card(match[0]) else match[0], text)
    return _IDENTITY.sub(lambda match: _hidden(match[0]), text)


def _hidden(number: str) -> str:
    """Everything but separators and the last four characters as dots."""
    left = sum(c.isalnum() for c in number) - _SHOWN
    shown: list[str] = []
    for c in number:
        shown.append("•" if c.isalnum() and left > 0 else c)
        left -= c.isalnum()
    return "".join(shown)


def _is_card(number: str) -> bool:
    """Whether the check digit is right (Luhn), as in one of ten numbers by chance."""
    digits = [int(c) for c in number if c.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def _is_iban(number: str) -> bool:
    """Whether the remainder is right (ISO 7064, 97-10)."""
    plain = "".join(number.split()).upper()
    turned = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and turned.isascii() and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1
