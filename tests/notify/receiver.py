"""Receives mail and HTTP for tests, and prints each thing that came as one JSON line.

python receiver.py FOLDER: FOLDER has cert.pem and key.pem. The first line says the ports.
"""

import email
import email.policy
import hashlib
import json
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

USER, PASSWORD = b"lifeboat", "mật khẩu thử".encode()
LOCK = threading.Lock()


def say(**line):
    with LOCK:
        print(json.dumps(line), flush=True)


class Mails:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say(
            kind="mail",
            sender=envelope.mail_from,
            to=envelope.rcpt_tos,
            subject=parsed["subject"],
            type=parsed.get_content_type(),
            charset=parsed.get_content_charset(),
            body=(parsed.get_body(preferencelist=("plain",)) or parsed).get_content(),
            files=[
                {
                    "name": part.get_filename(),
                    "type": part.get_content_type(),
                    "sha256": hashlib.sha256(part.get_payload(decode=True)).hexdigest(),
                }
                for part in parsed.iter_attachments()
            ],
            id=parsed["message-id"],
            date=parsed["date"],
            auto=parsed["auto-submitted"],
            encrypted=server.transport.get_extra_info("ssl_object") is not None,
            login=bool(session.authenticated),
        )
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == USER and data.password == PASSWORD
    # A server that repeats what it was given.
    text = data.password.decode(errors="replace").encode("unicode_escape").decode()
    return AuthResult(success=good, handled=good or None, message=None if good else f"535 {text}")


class Plain(Controller):
    """Encrypted by STARTTLS if there is a context."""

    def __init__(self, context, **options):
        self.context_of_starttls = context
        super().__init__(Mails(), hostname="127.0.0.1", port=0, **options)

    def factory(self):
        context = self.context_of_starttls
        return SMTP(
            self.handler,
            tls_context=context,
            require_starttls=context is not None,
            authenticator=authenticate,
            auth_require_tls=True,
        )


class Whole(Controller):
    def factory(self):
        return SMTP(self.handler, authenticator=authenticate, auth_require_tls=False)


class Web(BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode()
        say(
            kind="http",
            method=self.command,
            path=self.path,
            token=self.headers.get("authorization"),
            type=self.headers.get("content-type"),
            body=body,
        )
        code = 500 if "broken" in self.path else 302 if "moved" in self.path else 200
        self.send_response(code)
        if code == 302:
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(make):
    """Between finding a free port and taking it somebody else may have it."""
    for _ in range(20):
        try:
            port = free_port()
            controller = make(port)
            controller.start()
            return controller, port
        except OSError:
            continue
    raise SystemExit("no free port")


def main():
    folder = sys.argv[1]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")

    def plain(with_context):
        def make(port):
            controller = Plain(with_context)
            controller.port = port
            return controller

        return make

    kept = [
        started(lambda p: Whole(Mails(), hostname="127.0.0.1", port=p, ssl_context=context)),
        started(plain(context)),
        started(plain(None)),
    ]
    web = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    secure = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    # It takes connections and says nothing.
    silent = socket.create_server(("127.0.0.1", 0))
    for server in (web, secure):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    say(
        kind="ports",
        smtps=kept[0][1],
        starttls=kept[1][1],
        plain=kept[2][1],
        http=web.server_address[1],
        https=secure.server_address[1],
        silent=silent.getsockname()[1],
        absent=free_port(),
    )
    # Until whoever started us goes away.
    sys.stdin.read()


main()
