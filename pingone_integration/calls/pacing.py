"""Pacing of background calls, which go one after another for hours: evenly over each second.

Nobody knows when PingOne's seconds begin. Calls in bursts at the start of ours would be, for PingOne, up to twice as
many in some of its seconds; so would calls that catch up after a delay.
"""

import time


def places(limit: int, part: int) -> tuple[int, int]:
    """Return how many of the `part` places of this second are open by now, and how many of those are lost.

    A place opens every 1/limit seconds. It is lost as soon as a tenth of the limit is open after it.
    """
    opened = min(part, int(time.time() % 1 * limit) + 1)
    return opened, max(0, opened - max(1, limit // 10))
