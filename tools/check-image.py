#!/usr/bin/env python3
"""Checks what the container image would hold, on a machine without a container engine.

    check-image.py BINARY

1. The build stage: what .dockerignore lets through is enough for cargo to find every package and target, and no source
   file of ours takes in a file that stays out.
2. The final stage: BINARY runs in a root folder that holds just what the image would (the binary, the libraries it is
   linked to, the CA certificates), read-only, as the user of the Dockerfile, with no capability, no /proc and no /tmp.

Part 2 needs root on Linux and the right to mount; without, it says that it was skipped.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What gcr.io/distroless/cc holds besides the certificates: glibc and the C and C++ runtimes of GCC.
DISTROLESS_CC = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libgcc_s.so.1",
                 "libstdc++.so.6"}
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class Failed(Exception):
    pass


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


# --- The build stage ----------------------------------------------------------------------------


def let_through():
    """The top-level names that .dockerignore lets through. It is an allow-list: `*`, then `!NAME`s."""
    lines = [line.strip() for line in (ROOT / ".dockerignore").read_text().splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if lines[:1] != ["*"] or not all(re.fullmatch(r"![\w.\-]+", line) for line in lines[1:]):
        raise Failed(".dockerignore is no longer `*` followed by `!NAME`s: teach check-image.py to read it")
    return [line[1:] for line in lines[1:]]


def check_build_stage():
    names = let_through()
    with tempfile.TemporaryDirectory(prefix="peerkeeper-context.") as context:
        for name in names:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, Path(context) / name)
            else:
                shutil.copy(source, context)
        metadata = ["metadata", "--locked", "--no-deps", "--format-version=1"]
        run([os.environ.get("CARGO", "cargo"), *metadata], cwd=context)
        for path in Path(context).rglob("*.rs"):
            for taken in re.findall(r'include(?:_str|_bytes)?!\(\s*"([^"]+)"', path.read_text()):
                if not (path.parent / taken).exists():
                    raise Failed(f"{path.relative_to(context)} takes in {taken}, which .dockerignore keeps out")
    print(f"check-image: cargo finds every package in the build context: {' '.join(names)}")


# --- The final stage ----------------------------------------------------------------------------


def instruction(word):
    """The arguments of the last such instruction of the Dockerfile."""
    found = re.findall(rf"^{word} (.+)$", (ROOT / "Dockerfile").read_text(), re.M)
    if not found:
        raise Failed(f"the Dockerfile has no {word}")
    return found[-1]


def libraries(binary):
    """The files that the binary is linked to, as ldd finds them: each must be in the base image."""
    files = []
    for line in run(["ldd", binary]).splitlines():
        found = re.match(r"\s*(?:(\S+) => )?(/\S+) \(0x", line)
        if found:
            name = found.group(1)
            if name and name not in DISTROLESS_CC:
                raise Failed(f"the binary needs {name}, which the base image does not have")
            files.append(Path(found.group(2)))
        elif "linux-vdso" not in line:
            raise Failed(f"the binary can't be linked here: {line.strip()}")
    return files


def lay_out(folder, binary):
    [entrypoint] = json.loads(instruction("ENTRYPOINT"))
    for source, target in [(binary, entrypoint), (CERTIFICATES, CERTIFICATES), *((f, f) for f in libraries(binary))]:
        path = folder / str(target).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    return entrypoint


# In a mount namespace of its own, so that nothing is left of it: $0 is the folder, $1 this Python.
READ_ONLY = """
mount --make-rprivate /
mount --bind "$0" "$0"
mount -o remount,bind,ro,nosuid,nodev "$0"
exec "$@"
"""
# Enters the folder and gives up everything that the Deployment gives up.
INSIDE = """
import ctypes, os, sys
folder, uid, gid, *command = sys.argv[1:]
prctl = ctypes.CDLL(None).prctl
os.chroot(folder)
os.chdir("/")
for capability in range(64):
    prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.setgroups([])
os.setgid(int(gid))
os.setuid(int(uid))
prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
try:
    os.mkdir("/tmp")
    sys.exit("the root folder can be written to: this check would prove nothing")
except OSError:
    os.execve(command[0], command, {})
"""


def check_final_stage(binary):
    user, _, group = instruction("USER").partition(":")
    if user == "0" or not (user.isdigit() and group.isdigit()):
        raise Failed("USER must be UID:GID in numbers, not root: the kubelet can't see that a name is not root")
    with tempfile.TemporaryDirectory(prefix="peerkeeper-image.") as folder:
        folder = Path(folder)
        entrypoint = lay_out(folder, binary)
        enter = ["unshare", "--mount", "sh", "-euc", READ_ONLY, str(folder), sys.executable, "-c", INSIDE,
                 str(folder), user, group, entrypoint]
        version = run([*enter, "--version"]).strip()
        wanted = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.M).group(1)
        if version != f"peerkeeper {wanted}":
            raise Failed(f"--version says {version!r}; Cargo.toml says {wanted}")
        crds = run([*enter, "crd"])
        for file in sorted((ROOT / "crds").glob("peerkeeper.dev_*.yaml")):
            if file.read_text() not in crds:
                raise Failed(f"`peerkeeper crd` does not print {file.name}: is {binary} up to date?")
        # Without a cluster it ends at once, and says so: neither /proc, /tmp, HOME nor a passwd file is missed before.
        alone = subprocess.run([*enter, *json.loads(instruction("CMD"))], capture_output=True, text=True, timeout=60)
        if alone.returncode != 1 or "no connection to the cluster" not in alone.stderr:
            raise Failed(f"without a cluster it ended with {alone.returncode}:\n{alone.stdout}{alone.stderr}")
        held = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    print(f"check-image: as user {user} in a read-only root with {', '.join(held)}: {version}, and its CRDs")


def may_mount():
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return False
    probe = ["unshare", "--mount", "mount", "--make-rprivate", "/"]
    return subprocess.run(probe, capture_output=True).returncode == 0


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        check_build_stage()
        if not may_mount():
            print("check-image: the final stage was skipped: it needs root on Linux, and the right to mount")
            return
        check_final_stage(Path(sys.argv[1]).resolve())
    except Failed as failure:
        sys.exit(f"check-image: {failure}")


if __name__ == "__main__":
    main()
