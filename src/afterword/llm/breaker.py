"""Leave a model alone for a minute after three failures in a row, then let one call try. Per process, in memory.

Every interview on that model is scripted meanwhile, instead of making its contact wait out a deadline each turn.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass

_FAILURES = 3  # in a row
_OPEN = 60.0  # seconds, times `llm_deadline_scale`
_MOST = 1000  # models remembered; beyond that the one that failed the longest ago is forgotten

Key = tuple[object, ...]


@dataclass(slots=True)
class _State:
    failures: int = 0
    open_until: float | None = None  # monotonic seconds; None = closed
    probing: float | None = None  # when the one call that may try has started


_states: OrderedDict[Key, _State] = OrderedDict()


def is_open(key: Key) -> bool:
    """Whether calls are refused at the moment."""
    state = _states.get(key)
    return state is not None and state.open_until is not None and time.monotonic() < state.open_until


def admit(key: Key) -> bool:
    """Whether a call may be made. After the pause one is, and the others wait for what becomes of it."""
    state = _states.get(key)
    if state is None or state.open_until is None:
        return True
    if is_open(key) or state.probing is not None:
        return False
    state.probing = time.monotonic()
    return True


def failed(key: Key, scale: float) -> bool:
    """Count a failure. True exactly when it opened a closed breaker."""
    state = _states.setdefault(key, _State())
    _states.move_to_end(key)
    while len(_states) > _MOST:
        _states.popitem(last=False)
    state.failures += 1
    state.probing = None
    if state.open_until is None and state.failures < _FAILURES:
        return False
    was_closed, state.open_until = state.open_until is None, time.monotonic() + _OPEN * scale
    return was_closed


def succeeded(key: Key) -> None:
    """The model works: all is forgotten."""
    _states.pop(key, None)


def released(key: Key) -> None:
    """A call ended without telling anything of the model; the next may try."""
    if (state := _states.get(key)) is not None:
        state.probing = None


def reset() -> None:
    """Forget all models. For tests."""
    _states.clear()
