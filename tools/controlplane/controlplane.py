#!/usr/bin/env python3
"""A real Kubernetes control plane on loopback: etcd, kube-apiserver, kube-controller-manager.

    controlplane.py build            build the tools once into the user's cache folder, print where they are
    controlplane.py up DIR           run a control plane with all its files in DIR, steered by lines on stdin
    controlplane.py kubectl DIR ...  run kubectl as the admin of the control plane in DIR

`up` prints one JSON line when the API server is ready, then answers each command line with one:
`stop etcd`, `start etcd`, `stop apiserver`, `start apiserver`, `quit`. Its stdin is its leash: when that
closes, because the parent ended in whatever way, every process is stopped and `up` ends too.

Needs Go for `build` and the openssl command for `up`; nothing beyond Python's standard library.
"""

import argparse
import ctypes
import fcntl
import hashlib
import http.client
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
}
# What setup-envtest installs; it brings no kube-controller-manager.
REQUIRED = ("etcd", "kube-apiserver", "kubectl")
START_TIMEOUT_S = 90
# Watches hold a polite shutdown up for far longer; killed, etcd loses nothing but an unwritten page on power loss.
STOP_TIMEOUT_S = 2
PORT_ATTEMPTS = 5


class Failed(Exception):
    """Something the user can act on: printed without a traceback."""


class Leave(Exception):
    """Stdin closed, a signal came or `quit` was asked for: stop everything."""


class PortTaken(Failed):
    """Another process was quicker to bind a port that looked free."""


def say(text):
    print(f"controlplane: {text}", file=sys.stderr, flush=True)


def answer(**fields):
    print(json.dumps(fields), flush=True)


# --- Building -----------------------------------------------------------------------------------


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "peerkeeper"


def binaries():
    """The folder with the tools, building them first where the cache lacks them."""
    given = os.environ.get("KUBEBUILDER_ASSETS")
    if given:
        missing = [name for name in REQUIRED if not os.access(Path(given) / name, os.X_OK)]
        if missing:
            raise Failed(f"KUBEBUILDER_ASSETS={given} has no {', '.join(missing)}: unset it, or install them there")
        return Path(given)
    key = hashlib.sha256((HERE / "go.sum").read_bytes()).hexdigest()[:16]
    target = cache_dir() / "controlplane" / key
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / f"{key}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building the same tools; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            build_into(target)
    return target


def build_into(target):
    """Builds beside `target` and renames, so that nobody ever meets half a set of tools."""
    if shutil.which("go") is None:
        raise Failed("Go is missing: install Go 1.26 or newer (https://go.dev/dl), or set KUBEBUILDER_ASSETS "
                     "to a folder with etcd, kube-apiserver and kubectl")
    version = re.search(r"^\s*k8s\.io/kubernetes (v\S+)", (HERE / "go.mod").read_text(), re.M).group(1)
    say(f"building etcd and Kubernetes {version} into {target}")
    say("once per machine: about 1 GB of modules to fetch, then 5 to 10 minutes on two cores")
    scratch = Path(tempfile.mkdtemp(prefix=target.name + ".", dir=target.parent))
    try:
        # Without the -X, `kubectl version` and feature checks see v0.0.0-master.
        ldflags = f"-s -w -X k8s.io/component-base/version.gitVersion={version}"
        run_go(["go", "build", "-v", "-ldflags", ldflags, "-o", f"{scratch}/", *PACKAGES.values()])
        (scratch / "server").rename(scratch / "etcd")
        scratch.chmod(0o755)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    say("built")


def run_go(command):
    """Runs a `go build -v` and shows how far it is instead of its two thousand lines."""
    began = told = time.monotonic()
    fetched = compiled = 0
    other = []
    process = subprocess.Popen(command, cwd=HERE, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("go: downloading"):
            fetched += 1
        elif re.fullmatch(r"[\w.\-/~]+\n", line):
            compiled += 1
        else:
            other.append(line)
        if time.monotonic() - told >= 10:
            told = time.monotonic()
            say(f"{told - began:4.0f} s: {fetched} modules fetched, {compiled} packages compiled")
    if process.wait() != 0:
        raise Failed("go build failed:\n" + "".join(other[-40:]))


# --- Certificates -------------------------------------------------------------------------------

# Extension sections make X.509 v3 certificates. A bare `openssl x509 -req` makes v1, which rustls refuses.
OPENSSL_CONF = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = unused
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign, digitalSignature
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost, DNS:kubernetes.default.svc
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
"""


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"openssl {' '.join(map(str, args))} failed:\n{done.stderr}")


def make_certificates(folder):
    if shutil.which("openssl") is None:
        raise Failed("the openssl command is missing: install OpenSSL 1.1.1 or newer")
    folder.mkdir(parents=True, exist_ok=True)
    conf = folder / "openssl.cnf"
    conf.write_text(OPENSSL_CONF)
    for name in ("ca", "server", "admin", "sa"):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", folder / f"{name}.key")
        (folder / f"{name}.key").chmod(0o600)
    openssl("pkey", "-in", folder / "sa.key", "-pubout", "-out", folder / "sa.pub")
    openssl("req", "-x509", "-new", "-config", conf, "-extensions", "ca", "-subj", "/CN=peerkeeper-test-ca",
            "-key", folder / "ca.key", "-days", "30", "-out", folder / "ca.crt")
    for serial, (name, subject, kind) in enumerate([
            ("server", "/CN=kube-apiserver", "server"),
            ("admin", "/O=system:masters/CN=admin", "client")], start=2):
        request = folder / f"{name}.csr"
        openssl("req", "-new", "-config", conf, "-subj", subject, "-key", folder / f"{name}.key", "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key",
                "-set_serial", serial, "-days", "30", "-extfile", conf, "-extensions", kind,
                "-out", folder / f"{name}.crt")


# --- Ports --------------------------------------------------------------------------------------


class Port:
    """A loopback port of ours for as long as we live, even while nothing listens on it.

    A stopped API server has to come back on its old port. The lock file keeps other control planes off it, and
    the range lies below the ephemeral ports, so no outgoing connection takes it.
    """

    def __init__(self):
        folder = Path(tempfile.gettempdir()) / f"peerkeeper-ports-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        for number in random.sample(range(15000, 30000), 500):
            self.lock = open(folder / str(number), "w")
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            except OSError:
                self.lock.close()
                continue
            self.number = number
            return
        raise Failed("no free loopback port between 15000 and 30000")

    def __str__(self):
        return str(self.number)


# --- Processes ----------------------------------------------------------------------------------


def die_with_parent():
    """In the child: be killed when this script is, even by SIGKILL (Linux; elsewhere stdin's end has to do)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Process:
    """One child, restartable with the same arguments."""

    def __init__(self, name, command, log):
        self.name, self.command, self.log = name, [str(part) for part in command], log
        self.child = None

    @property
    def running(self):
        return self.child is not None and self.child.poll() is None

    def start(self):
        with open(self.log, "ab") as log:
            # A session of its own: Ctrl-C reaches this script alone, which then stops its children in order.
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          start_new_session=True, preexec_fn=die_with_parent)

    def stop(self, gently=True):
        if not self.running:
            return
        if gently:
            self.child.terminate()
            try:
                self.child.wait(STOP_TIMEOUT_S)
                return
            except subprocess.TimeoutExpired:
                pass
        self.child.kill()
        self.child.wait()

    def tail(self):
        try:
            return "".join(self.log.read_text(errors="replace").splitlines(keepends=True)[-20:])
        except OSError:
            return ""


class Leash:
    """Lines from stdin, read without blocking; its end, or a signal, raises Leave."""

    def __init__(self):
        self.buffer = b""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.on_signal)

    @staticmethod
    def on_signal(number, _frame):
        raise Leave(signal.Signals(number).name)

    @staticmethod
    def let_go():
        """From here on nothing interrupts the stopping."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    def pause(self, seconds):
        """Waits, but notices the end of stdin. True when a line may be there."""
        if not select.select([0], [], [], seconds)[0]:
            return False
        chunk = os.read(0, 65536)
        if not chunk:
            raise Leave("stdin closed")
        self.buffer += chunk
        return True

    def line(self, seconds):
        """The next line, or None when `seconds` passed without one."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.pause(left)
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace").strip()


# --- The control plane --------------------------------------------------------------------------


class ControlPlane:
    def __init__(self, bin_dir, folder, leash):
        self.bin, self.dir, self.leash = bin_dir, folder, leash
        self.certs, self.logs = folder / "certs", folder / "logs"
        self.kubeconfig = folder / "kubeconfig"
        self.etcd = self.apiserver = self.manager = None

    def up(self):
        self.dir.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        make_certificates(self.certs)
        for attempt in range(1, PORT_ATTEMPTS + 1):
            try:
                self.start_on_new_ports(attempt)
                break
            except PortTaken as taken:
                self.stop_all()
                if attempt == PORT_ATTEMPTS:
                    raise
                say(f"{taken}; trying other ports")
        self.start_manager()

    def start_on_new_ports(self, attempt):
        self.etcd_port, self.api_port = Port(), Port()
        # A second attempt starts from nothing: the first one's etcd may have written already.
        data = self.dir / f"etcd-{attempt}"
        etcd_url = f"http://127.0.0.1:{self.etcd_port}"
        self.etcd = Process("etcd", [
            self.bin / "etcd", "--data-dir", data, "--listen-client-urls", etcd_url,
            "--advertise-client-urls", etcd_url, "--listen-peer-urls", "http://127.0.0.1:0", "--unsafe-no-fsync",
        ], self.logs / "etcd.log")
        self.apiserver = Process("apiserver", [
            self.bin / "kube-apiserver", f"--etcd-servers={etcd_url}", f"--cert-dir={self.certs}",
            f"--secure-port={self.api_port}", "--bind-address=127.0.0.1",
            # Said outright, or it looks for the machine's own address and fails where there is no network.
            "--advertise-address=127.0.0.1", "--external-hostname=127.0.0.1", "--endpoint-reconciler-type=none",
            f"--tls-cert-file={self.certs / 'server.crt'}", f"--tls-private-key-file={self.certs / 'server.key'}",
            f"--client-ca-file={self.certs / 'ca.crt'}", "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24", "--service-account-issuer=https://localhost",
            f"--service-account-key-file={self.certs / 'sa.pub'}",
            f"--service-account-signing-key-file={self.certs / 'sa.key'}",
            # No controller makes the default accounts here, so pods and the like must not ask for one.
            "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true",
        ], self.logs / "kube-apiserver.log")
        self.write_kubeconfig()
        self.start_etcd()
        self.start_apiserver()

    def start_manager(self):
        binary = self.bin / "kube-controller-manager"
        if not binary.exists():
            say("no kube-controller-manager in KUBEBUILDER_ASSETS: deleted namespaces will stay in Terminating")
            return
        self.manager = Process("controller-manager", [
            binary, f"--kubeconfig={self.kubeconfig}", "--leader-elect=false", "--secure-port=0",
            "--controllers=namespace-controller,garbage-collector-controller",
        ], self.logs / "kube-controller-manager.log")
        self.manager.start()

    def write_kubeconfig(self):
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "admin",
            "clusters": [{"name": "local", "cluster": {
                "server": self.server, "certificate-authority": str(self.certs / "ca.crt")}}],
            "users": [{"name": "admin", "user": {
                "client-certificate": str(self.certs / "admin.crt"), "client-key": str(self.certs / "admin.key")}}],
            "contexts": [{"name": "admin", "context": {"cluster": "local", "user": "admin"}}],
        }
        # JSON is YAML, and Python's standard library writes only the former.
        self.kubeconfig.write_text(json.dumps(config, indent=2) + "\n")
        self.kubeconfig.chmod(0o600)

    @property
    def server(self):
        return f"https://127.0.0.1:{self.api_port}"

    def start_etcd(self):
        self.etcd.start()
        self.wait_for(self.etcd, lambda: self.probe(self.etcd_port, "/health", None))

    def start_apiserver(self):
        self.apiserver.start()
        context = ssl.create_default_context(cafile=str(self.certs / "ca.crt"))
        context.load_cert_chain(str(self.certs / "admin.crt"), str(self.certs / "admin.key"))
        self.wait_for(self.apiserver, lambda: self.probe(self.api_port, "/readyz", context))
        # It gives up when the API server stays away for long; bring it back with it.
        if self.manager is not None and not self.manager.running:
            self.manager.start()

    @staticmethod
    def probe(port, path, tls):
        kind = http.client.HTTPConnection if tls is None else http.client.HTTPSConnection
        extra = {} if tls is None else {"context": tls}
        connection = kind("127.0.0.1", port.number, timeout=2, **extra)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait_for(self, process, ready):
        deadline = time.monotonic() + START_TIMEOUT_S
        while not ready():
            if not process.running:
                code, log = process.child.returncode, process.tail()
                if "address already in use" in log:
                    raise PortTaken(f"{process.name} found its port taken")
                raise Failed(f"{process.name} ended with {code} while starting; the end of {process.log}:\n{log}")
            if time.monotonic() > deadline:
                raise Failed(f"{process.name} was not ready in {START_TIMEOUT_S} s; "
                             f"the end of {process.log}:\n{process.tail()}")
            self.leash.pause(0.05)

    def processes(self):
        return [one for one in (self.manager, self.apiserver, self.etcd) if one is not None]

    def pids(self):
        return {one.name: one.child.pid for one in self.processes() if one.running}

    def obey(self, line):
        verb, _, name = line.partition(" ")
        process = {"etcd": self.etcd, "apiserver": self.apiserver}.get(name)
        if verb not in ("stop", "start") or process is None:
            raise Failed(f"unknown command {line!r}: stop|start etcd|apiserver, or quit")
        if verb == "stop":
            process.stop()
        elif not process.running:
            self.start_etcd() if process is self.etcd else self.start_apiserver()
        answer(event="stopped" if verb == "stop" else "started", process=name, pids=self.pids())

    def serve(self):
        answer(event="ready", server=self.server, kubeconfig=str(self.kubeconfig), kubectl=str(self.bin / "kubectl"),
               ca=str(self.certs / "ca.crt"), controllerManager=self.manager is not None, pids=self.pids())
        while True:
            line = self.leash.line(3600)
            if line == "quit":
                raise Leave("quit")
            if line:
                try:
                    self.obey(line)
                except Failed as failure:
                    answer(event="error", message=str(failure))

    def stop_all(self):
        # The data is thrown away with them, so there is nothing a slow farewell would save.
        for process in self.processes():
            process.stop(gently=False)


def up(folder, remove):
    bin_dir = binaries()
    leash = Leash()
    plane = ControlPlane(bin_dir, folder, leash)
    try:
        plane.up()
        plane.serve()
    except (Leave, BrokenPipeError):
        pass
    finally:
        leash.let_go()
        plane.stop_all()
        if remove:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the tools into the cache folder and print where they are")
    upper = commands.add_parser("up", help="run a control plane until stdin closes")
    upper.add_argument("dir", type=Path)
    upper.add_argument("--remove", action="store_true", help="remove DIR in the end")
    kubectl = commands.add_parser("kubectl", help="run kubectl as the admin of the control plane in DIR")
    kubectl.add_argument("dir", type=Path)
    kubectl.add_argument("args", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        if options.command == "build":
            print(binaries())
        elif options.command == "up":
            up(options.dir.resolve(), options.remove)
        else:
            tool = str(binaries() / "kubectl")
            os.execv(tool, [tool, f"--kubeconfig={options.dir / 'kubeconfig'}",
                            f"--cache-dir={options.dir / 'kubectl-cache'}", *options.args])
    except Failed as failure:
        sys.exit(f"controlplane: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
