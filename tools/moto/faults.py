"""A WSGI layer around moto: counts calls, and holds, refuses or loses the ones a test names."""

import io
import re
import socket
import time
from threading import Condition
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from moto.iam.models import get_account_id_from

CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
# Codes that AWS sends with another HTTP status than 400.
STATUS = {
    **dict.fromkeys(("AccessDenied", "UnauthorizedOperation", "AuthFailure"), "403 Forbidden"),
    **dict.fromkeys(("RequestLimitExceeded", "Unavailable", "ServiceUnavailable"), "503 Service Unavailable"),
    **dict.fromkeys(("InternalError", "InternalFailure"), "500 Internal Server Error"),
}
REFUSAL = """<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
<RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>"""
# STS, a query service too, wraps its errors otherwise.
STS_REFUSAL = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>\
<Code>{code}</Code><Message>{message}</Message></Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId>\
</ErrorResponse>"""


class Lost(ConnectionError):
    """Ends the connection without an answer: to werkzeug it is as if the client had gone."""


class Call:
    """What a request asks for, and as whom."""

    def __init__(self, environ):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        form = parse_qs(body.decode(errors="replace"))
        self.action = form.get("Action", [""])[0]
        signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        self.key, self.region, self.service = signed.groups() if signed else ("", "", "")
        self.account = get_account_id_from(self.key)
        if self.action == "AssumeRole":
            # Whose role it is says more than who asks: that is the operator each time.
            self.account = (form.get("RoleArn", [""])[0].split(":") + [""] * 5)[4]


class Fault:
    def __init__(self, order):
        self.kind, self.action = order["do"], order["action"]
        self.account, self.region = order.get("account"), order.get("region")
        self.left = order.get("times")
        self.code = order.get("code", "")
        if self.kind == "refuse" and not self.code:
            raise ValueError("refuse needs a code")

    def meets(self, call):
        return (self.action in ("*", call.action) and self.account in (None, call.account)
                and self.region in (None, call.region) and self.left != 0)


class Faults:
    def __init__(self, moto):
        self.moto = moto
        self.change = Condition()
        self.faults = []
        self.calls = {}
        self.log = []

    def obey(self, order):
        with self.change:
            match order["do"]:
                case "calls":
                    return {"event": "calls", "calls": self.count(order.get("account"))}
                case "log":
                    return {"event": "log", "log": self.log}
                case "forget":
                    self.calls = {}
                    self.log = []
                case "hold" | "refuse" | "drop":
                    self.faults.append(Fault(order))
                case "release":
                    self.faults = [f for f in self.faults if (f.kind, f.action) != ("hold", order["action"])]
                case "mend":
                    only = order.get("account")
                    self.faults = [f for f in self.faults if only and f.account != only]
                case other:
                    raise ValueError(f"unknown order {other!r}")
            self.change.notify_all()
            return {"event": "done"}

    def count(self, account):
        """How often each action was asked for: in all, or by one account."""
        counts = {}
        for (action, caller), times in self.calls.items():
            if account in (None, caller):
                counts[action] = counts.get(action, 0) + times
        return counts

    def __call__(self, environ, start_response):
        call = Call(environ)
        if not call.action:
            return self.moto(environ, start_response)
        fault = self.admit(call)
        if fault is None:
            return self.moto(environ, start_response)
        if fault.kind == "drop":
            b"".join(self.moto(environ, lambda *_: None))
            # Werkzeug alone would leave the connection open and the caller waiting for its own timeout.
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise Lost(f"the answer to {call.action} was dropped on request")
        return self.refuse(call, fault.code, start_response)

    def admit(self, call):
        """Counts the call, waits while it is held, and says what else is to befall it."""
        with self.change:
            key = (call.action, call.account)
            self.calls[key] = self.calls.get(key, 0) + 1
            self.log.append({"at": time.time(), "action": call.action, "key": call.key})
            while any(fault.kind == "hold" and fault.meets(call) for fault in self.faults):
                self.change.wait()
            for fault in self.faults:
                if fault.kind != "hold" and fault.meets(call):
                    if fault.left is not None:
                        fault.left -= 1
                    return fault
        return None

    @staticmethod
    def refuse(call, code, start_response):
        shape = STS_REFUSAL if call.service == "sts" else REFUSAL
        body = shape.format(code=escape(code), message=escape(f"{call.action} refused on request")).encode()
        start_response(STATUS.get(code, "400 Bad Request"), [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
        return [body]
