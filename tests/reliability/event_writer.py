"""Writes events until it is killed: forks a writer for every line on its input, and tells what was acknowledged."""

import os
import sys
import threading

from genrec.events import Event, EventStore

THREADS = 4


def write(path, name):
    store = EventStore.open(path)
    threads = [threading.Thread(target=append_for_ever, args=(store, f"{name}.{number}")) for number in range(THREADS)]
    for thread in threads:
        thread.start()


def append_for_ever(store, name):
    batch = 0
    while True:
        size = 1 + batch % 7
        ids = [f"{name}.{batch}.{size}.{place}" for place in range(size)]
        store.append([Event(one, f"user{batch % 50}", "tea", "interaction", timestamp=batch) for one in ids])
        os.write(1, f"{' '.join(ids)}\n".encode())
        batch += 1


if __name__ == "__main__":
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            os.write(1, f"pid {os.getpid()}\n".encode())
            write(sys.argv[1], line.strip())
            threading.Event().wait()
        os.waitpid(pid, 0)
        os.write(1, b"dead\n")
