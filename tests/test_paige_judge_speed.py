"""Reading a message takes time in proportion to its length, whatever somebody repeats in it."""

# ruff: noqa: E501  # a list of what may be repeated cannot be read over many lines

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from afterword.paige import judge, quotes

_PIECES = (
    "a ", "i ", "u ", "no, ", "please ", "ok ", "yes ", "so we ", "if ", "that's all ", "i don't know ", "you ", "you are a ", "damn ",
    "who will ", "what happens to my ", "is this ", "since a ", "ignore all ", "repeat the ", "really ", "not ", "my wife has ", "the ",
    "too ", "was very ", "price ", "was ", "but ", "because ", "Ab ", "A. ", "-", "a-", "a.", ".", ". ", "?", "!", ",", "'", "“", "\n", "1", "1 ",
    "ja, ", "bitte ", "der preis ", "ä", "価",
)  # fmt: skip
# Linear is four; ninety times is what quadratic and worse come to, and a busy machine must not matter.
_TIMES, _GROWTH, _NOISE = 4, 10, 0.004
READERS: tuple[Callable[[str], object], ...] = (
    judge.read,
    judge.quality,
    judge.affirms,
    judge.adds_nothing,
    judge.proper_names,
    lambda text: quotes.echo(text, ("price", "support")),
)


def seconds(read: Callable[[str], object], text: str) -> float:
    """The least of the processor's time that three readings took."""
    taken: list[float] = []
    for _ in range(3):
        began = time.process_time()
        read(text)
        taken.append(time.process_time() - began)
    return min(taken)


@pytest.mark.parametrize("read", READERS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(pieces=st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4), end=st.sampled_from(_PIECES))
def test_four_times_the_text_takes_about_four_times_as_long(read, pieces, end):
    unit = "".join(pieces)
    short = (unit * 1000)[:1000] + end
    long = (unit * 1000 * _TIMES)[: 1000 * _TIMES] + end

    assert seconds(read, long) < _GROWTH * seconds(read, short) + _NOISE


@pytest.mark.parametrize("text", ["stop" + "." * 900, "stop" + " !" * 500, "I want to die" + "." * 990])
def test_signs_in_a_row_hide_nothing_urgent(text: str):
    assert judge.read(text).kind in ("stop", "distress")


def test_one_endless_word_is_an_answer():
    assert judge.read("what-do-you-mean-" * 200).kind == "answer"
