# SPDX-License-Identifier: Apache-2.0
"""A cable that takes its time: two interfaces, and what goes into one comes out of the other later. Linux, root.

A thread of its own for each; ends with the process. (Kernels without `tc netem` have no other way.)"""
import collections
import fcntl
import os
import select
import struct
import threading
import time

_TUNSETIFF, _TAP, _NO_INFO = 0x400454CA, 0x0002, 0x1000
_FRAME = 65535
_MOST_WAITING = 4096  # frames; what comes then is lost, as in a router


def _tap(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", name.encode(), _TAP | _NO_INFO))
    return device


def connect(near, far, delay):
    """Makes interfaces of these names, `delay` seconds apart, which may then be moved into namespaces."""
    ends = (_tap(near), _tap(far))
    threading.Thread(target=_carry, args=(ends, delay), daemon=True).start()


def _carry(ends, delay):
    waiting = {end: collections.deque() for end in ends}  # to which → (when it is due, frame)
    while True:
        first = min((queue[0][0] for queue in waiting.values() if queue), default=None)
        timeout = None if first is None else max(0, first - time.monotonic())
        readable, _, _ = select.select(ends, [], [], timeout)
        now = time.monotonic()
        for end in readable:
            queue = waiting[ends[1] if end == ends[0] else ends[0]]
            try:
                while True:
                    frame = os.read(end, _FRAME)
                    if len(queue) < _MOST_WAITING:
                        queue.append((now + delay, frame))
            except BlockingIOError:
                pass
            except OSError:
                return  # the interface is gone
        for end, queue in waiting.items():
            while queue and queue[0][0] <= now:
                try:
                    os.write(end, queue.popleft()[1])
                except OSError:
                    pass  # nobody has set it up yet, or any more
