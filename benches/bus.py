#!/usr/bin/env python3
"""What it costs a server to hear something on the bus, and Redis to pass it on.

    python3 benches/bus.py REDIS_PORT CHANNEL REDIS_PID SERVER_PID...

Waits for a signal (such as one that the presence of a team changed: let an agent sign in) that servers tell each other on CHANNEL,
kefu:{o}bus unless storage.prefix says something else, and publishes it again and again, within the minute for which it is believed.
"""

import socket
import sys
import time

COUNT, GROUP, RATE = 200_000, 500, 10_000
# MAC, time and sender come before the kind; 2 is a signal
KIND = 32 + 8 + 8
SIGNAL = 2


def command(*parts: bytes) -> bytes:
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def line(stream) -> bytes:
    return stream.readline().rstrip(b"\r\n")


def reply(stream):
    head = line(stream)
    if head[:1] in b"*>":
        return [reply(stream) for _ in range(int(head[1:]))]
    if head[:1] == b"$":
        return stream.read(int(head[1:]) + 2)[:-2]
    return head


def ticks(pid: str) -> int:
    with open(f"/proc/{pid}/stat", "rb") as stat:
        fields = stat.read().split()
    return int(fields[13]) + int(fields[14])


def signal(port: int, channel: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as listener:
        listener.sendall(command(b"SSUBSCRIBE", channel))
        stream = listener.makefile("rb")
        while True:
            said = reply(stream)
            if said[0] == b"smessage" and said[2][KIND] == SIGNAL:
                return said[2]


def main() -> None:
    port, channel, redis, servers = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3], sys.argv[4:]
    message = signal(port, channel)
    pids = [redis, *servers]
    before, begin = [ticks(pid) for pid in pids], time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as publisher:
        stream = publisher.makefile("rb")
        for n in range(COUNT // GROUP):
            publisher.sendall(command(b"SPUBLISH", channel, message) * GROUP)
            heard = {reply(stream) for _ in range(GROUP)}
            time.sleep(max(0.0, begin + n * GROUP / RATE - time.monotonic()))
    time.sleep(1)
    cost = [f"{(ticks(pid) - was) * 10_000 / COUNT:.1f}" for pid, was in zip(pids, before, strict=True)]
    print(f"{len(message)} bytes, heard by {heard}; µs of CPU each: Redis {cost[0]}, servers {', '.join(cost[1:])}")


main()
