"""A CA that nobody trusts yet, and an HTTPS server with a certificate of it."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = ("localhost", "login.acme.test")  # proven by the server's certificate


@dataclass(frozen=True)
class PrivateCa:
    """Files in PEM format."""

    bundle: Path  # the CA's certificate
    server: Path  # key and certificate of a server


def make_private_ca(directory: Path) -> PrivateCa:
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Acme private CA")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[0])])
    proven = x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES])
    ca = _certificate(issuer, issuer, root, root, x509.BasicConstraints(ca=True, path_length=None))
    leaf = _certificate(subject, issuer, key, root, proven)
    bundle, server = directory / "ca.pem", directory / "server.pem"
    bundle.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    clear = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, clear)
    server.write_bytes(private + leaf.public_bytes(serialization.Encoding.PEM))
    return PrivateCa(bundle, server)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signed_with: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    # Python 3.13 and later accept no certificate without the identifiers of the keys, and no CA without its usage.
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_with.public_key())
    builder = builder.add_extension(authority, critical=False)
    is_ca = isinstance(extension, x509.BasicConstraints)
    if is_ca:
        builder = builder.add_extension(_SIGNS_CERTIFICATES, critical=True)
    return builder.add_extension(extension, critical=is_ca).sign(signed_with, hashes.SHA256())


_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass
class HttpsServer:
    """A running server. It answers every request with `answer` and keeps what it was asked."""

    port: int
    answer: tuple[int, dict[str, str], dict[str, Any]] = (200, {}, {})  # status, headers, JSON
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)  # path, headers


@contextmanager
def https_server(ca: PrivateCa) -> Iterator[HttpsServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            running.asked.append((self.path, dict(self.headers)))
            status, headers, body = running.answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            content = json.dumps(body).encode()
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_POST = do_HEAD = do_GET  # noqa: N815 - named by http.server

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: a client that refuses the certificate hangs up."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca.server)
    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    running = HttpsServer(server.server_port)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
