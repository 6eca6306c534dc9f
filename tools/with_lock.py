#!/usr/bin/env python3
"""Runs a command while holding a lock file: with_lock.py FILE COMMAND ...

Two checkouts share one target directory, so that a fresh clone does not build the AWS SDK again. Cargo's own lock
covers building alone; this one also keeps the binary that tests run from being another checkout's.
"""

import fcntl
import os
import sys

path, *command = sys.argv[1:]
os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
# Inherited across exec: the lock lasts as long as the command does, and the kernel drops it however that ends.
lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
os.set_inheritable(lock, True)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print(f"waiting for another run that holds {path}", file=sys.stderr, flush=True)
    fcntl.flock(lock, fcntl.LOCK_EX)
os.execvp(command[0], command)
