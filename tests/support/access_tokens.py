"""Access tokens: JWTs (RFC 7519), as anybody can read them, and make them who knows the key."""

import base64
import hashlib
import hmac
import json


def encoded(content):
    """A part of a JWT."""
    return _text(json.dumps(content).encode())


def claims(token):
    """What a JWT says, unproved."""
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def signed(said, key, algorithm="HS256", digest=hashlib.sha256):
    """A JWT that says so, over the bytes of a key."""
    text = encoded({"typ": "JWT", "alg": algorithm}) + "." + encoded(said)
    return text + "." + _text(hmac.new(key.encode(), text.encode(), digest).digest())


def _text(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
