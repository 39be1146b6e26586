"""The relay's pushes beside node's web-push: 5,000 to 5,000 browsers, at one push service over TLS.

Ours is the queue as the relay runs it: deliveries read from SQLite, encrypted, signed, sent, and each
outcome committed. web-push is used as documented (``DEFAULT_USE``), as many at a time as ours; it keeps
nothing. The service answers 201 and checks samples
afterwards. Each sender is a process of its own whose CPU time is the kernel's count, all threads included;
rounds alternate, and each figure is the median of its rounds. The naked cryptography is what RFC 8291 asks
for each message, and nothing else: a key pair, ECDH, three HKDFs and AES-GCM.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cloud_relay.push.lanes import PLACES
from tests.bench.from_npm import installed
from tests.bench.push.figures import Figures, missed, results, table
from tests.bench.push.ours import example
from tests.bench.push.service import SUBSCRIPTIONS

DEFAULT_USE: Final = (
    "web-push by default: setVapidDetails once, sendNotification(subscription, payload, {TTL, urgency,"
    " topic}) for each;\nit signs each message, Node's own agent keeps connections open, nothing is stored."
)
PUSHES: Final = 5_000
WARM: Final = 300
"""Pushes before those that count: connections, and what a just-in-time compiler learns."""
ROUNDS: Final = 3
ROUND_MAX_S: Final = 120.0
NAKED: Final = 2_000
WEBPUSH: Final = Path(__file__).parent / "push" / "webpush"


def naked_per_cpu_s(size_bytes: int) -> float:
    """Return how many messages of ``size_bytes`` a CPU second encrypts, with nothing around it."""
    message, auth, salt = os.urandom(size_bytes), os.urandom(16), os.urandom(16)
    browser = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = browser.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    began_s = time.process_time()
    for _ in range(NAKED):
        own = ec.generate_private_key(ec.SECP256R1())
        sender = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        shared = own.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        )
        secret = _hkdf(auth, b"WebPush: info\0" + point + sender, 32, shared)
        key = _hkdf(salt, b"Content-Encoding: aes128gcm\0", 16, secret)
        nonce = _hkdf(salt, b"Content-Encoding: nonce\0", 12, secret)
        AESGCM(key).encrypt(nonce, message + b"\x02", None)
    return NAKED / (time.process_time() - began_s)


def _hkdf(salt: bytes, info: bytes, length: int, secret: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


@contextmanager
def service(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the push service; each line to it is answered with what it found."""
    command = (sys.executable, "-m", "tests.bench.push.service", str(folder), str(PUSHES))
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                raise RuntimeError("the push service did not start; its words stand above")
            yield process
        finally:
            process.kill()


def check(process: subprocess.Popen[str]) -> None:
    """Have the service check what came since the last time.

    Raises:
        RuntimeError: not every browser was pushed to, or a sample was not as it should be.

    """
    assert process.stdin is not None and process.stdout is not None  # noqa: PT018 -- both are pipes
    process.stdin.write("check\n")
    process.stdin.flush()
    found = json.loads(process.stdout.readline())
    if found["received"] != PUSHES + WARM or found["browsers"] != PUSHES or found["good"] < 100:
        raise RuntimeError(f"the push service found {found}")


def one_round(command: Sequence[str], folder: Path) -> dict[str, float]:
    """Run one sender to its end and return what it said of itself."""
    certificate = str(folder / "certificate.pem")
    ran = subprocess.run(
        command,
        env={**os.environ, "NODE_EXTRA_CA_CERTS": certificate},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=ROUND_MAX_S,
    )
    said: dict[str, float] = json.loads(ran.stdout)
    return said


def main() -> int:
    node = installed(WEBPUSH)
    with tempfile.TemporaryDirectory(prefix="laundryd-bench-") as name:
        folder = Path(name)
        ours = (sys.executable, "-m", "tests.bench.push.ours", name, str(WARM))
        theirs = (
            str(node),
            str(WEBPUSH / "send.js"),
            str(folder / SUBSCRIPTIONS),
            example(),
            str(WARM),
            str(PLACES),
        )
        rounds: tuple[list[dict[str, float]], ...] = ([], [])
        with service(folder) as process:
            for _ in range(ROUNDS):
                for command, kept in zip((ours, theirs), rounds, strict=True):
                    kept.append(one_round(command, folder))
                    check(process)
    mine, other = (Figures.of(kept) for kept in rounds)
    print(DEFAULT_USE)
    print(table(mine, other, naked_per_cpu_s(len(example()))))
    for line in results(mine, other):
        print(line)
    failed = list(missed(mine, other))
    for sentence in failed:
        print(sentence)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
