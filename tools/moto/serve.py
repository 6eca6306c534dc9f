#!/usr/bin/env python3
"""moto's EC2 and STS on a free loopback port, with faults on request and every call counted.

    serve.py setup    make the virtual environment in the user's cache folder, once, and print its Python
    serve.py up       serve until stdin closes, a signal comes or {"do": "quit"} is asked for

`up` prints {"event": "ready", "endpoint": ...} and then answers each JSON line on stdin with one:

    {"do": "calls"}                       how often each action was asked for, in order of first use
    {"do": "log"}                         when each came (Unix seconds), and signed with which key, in order
    {"do": "forget"}                      starts count and log again
    {"do": "hold", "action": A}           requests of A wait, not yet carried out, until the release
    {"do": "release", "action": A}
    {"do": "refuse", "action": A, "code": C}   A is answered with error C and not carried out
    {"do": "drop", "action": A}           A is carried out, and its answer lost on the way
    {"do": "mend"}                        no faults any more; what is held goes on

hold, refuse and drop take "account" and "region" to narrow them and "times" to end by themselves. Action "*" is any.
calls with "account" counts that account's alone, and mend with "account" ends the faults that were narrowed to it.
"""

import fcntl
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
OLDEST_PYTHON = (3, 11)


def say(text):
    print(f"moto: {text}", file=sys.stderr, flush=True)


def environment():
    """The Python of the virtual environment, made first where the cache lacks it."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"moto: Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed, "
                 f"this is {sys.version.split()[0]}: put a newer python3 first in PATH, or set PYTHON for make")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    major_minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + major_minor.encode()).hexdigest()[:16]
    folder = Path(base) / "peerkeeper" / "moto" / key
    python, complete = folder / "bin" / "python", folder / "complete"
    if complete.exists():
        return python
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A virtual environment can't be moved into place, so a mark written last says that it is whole.
    with open(folder.parent / f"{key}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            install(folder, python)
            complete.touch()
    return python


def install(folder, python):
    shutil.rmtree(folder, ignore_errors=True)
    say(f"installing moto into {folder}, once: about half a minute")
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
         "--requirement", str(REQUIREMENTS)],
    ):
        done = subprocess.run(command, stdout=sys.stderr, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.exit(f"moto: `{' '.join(command)}` ended with {done.returncode}; on Debian and Ubuntu the package "
                     "python3-venv may be missing")


def up():
    """Runs in the virtual environment: everything that needs moto is imported below here."""
    from faults import Faults
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from threading import Thread
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        def log(self, type, message, *args):
            """Nobody reads an access log here; {"do": "calls"} says what came."""

    faults = Faults(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, faults, threaded=True, request_handler=Quiet)
    # Requests still held when we end must not keep the process alive.
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    answer(event="ready", endpoint=f"http://127.0.0.1:{server.server_address[1]}", pid=os.getpid())
    for line in lines_of_stdin():
        try:
            order = json.loads(line)
            if order.get("do") == "quit":
                break
            answer(**faults.obey(order))
        except (ValueError, KeyError, AttributeError) as error:
            answer(event="error", message=f"{line!r}: {error}")


def answer(**fields):
    print(json.dumps(fields), flush=True)


def lines_of_stdin():
    """Unbuffered, so that no line waits in a buffer while select sees nothing."""
    buffer = b""
    while select.select([0], [], [])[0]:
        chunk = os.read(0, 65536)
        if not chunk:
            return
        buffer += chunk
        while b"\n" in buffer:
            line, buffer = buffer.split(b"\n", 1)
            yield line.decode(errors="replace")


def main():
    # No `match` here: an old Python has to get as far as the message that says it is too old.
    command = sys.argv[1:]
    if command == ["setup"]:
        print(environment())
    elif command == ["up"]:
        python = environment()
        settings = {
            # Loading a thousand images makes the first EC2 call of every Region slow, and none is used.
            "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
            "AWS_ACCESS_KEY_ID": "moto", "AWS_SECRET_ACCESS_KEY": "moto",
        }
        os.execve(str(python), [str(python), str(Path(__file__).resolve()), "serve"], {**os.environ, **settings})
    elif command == ["serve"]:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: os._exit(0))
        try:
            up()
        except BrokenPipeError:
            pass
        # Not sys.exit: held requests have threads that would be waited for.
        os._exit(0)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
