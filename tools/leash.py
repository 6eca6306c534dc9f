#!/usr/bin/env python3
"""Runs one command that must not outlive its caller: leash.py LOG COMMAND ...

Prints {"event": "ready", "pid": ...}, sends the command's output to the file LOG, and prints {"event": "exited",
"code": ...} when it ends (a negative code is the signal that ended it). When stdin closes, because the caller ended
in whatever way, the command is killed.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from threading import Thread


def die_with_parent():
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)


def answer(**fields):
    print(json.dumps(fields), flush=True)


def main():
    log, *command = sys.argv[1:]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    with open(log, "ab") as output:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                 start_new_session=True, preexec_fn=die_with_parent)
    try:
        answer(event="ready", pid=child.pid)
        ended, end = os.pipe()
        Thread(target=lambda: (child.wait(), os.close(end)), daemon=True).start()
        # Nothing is ever said on stdin: readable means closed.
        if ended in select.select([0, ended], [], [])[0]:
            answer(event="exited", code=child.returncode)
    except BrokenPipeError:
        pass
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


if __name__ == "__main__":
    main()
