"""What tests of interruptions share."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let the children of this test answer Ctrl-C.

    A process that was started with SIGINT ignored, as by `nohup make test &` in a script, hands
    that down to its children; a handler of its own it does not.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
