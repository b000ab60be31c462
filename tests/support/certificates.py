"""Certificates that are made when they are needed, and nobody keeps."""

import subprocess


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


COMMON = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]


def make_certificates(folder):
    """An authority, and a certificate of it for this machine's own names."""
    authority = ["-subj", "/CN=The tests' authority", "-keyout", "authority.key", "-out", "authority.pem"]
    openssl("req", "-x509", *COMMON, *authority, folder=folder)
    return make_certificate(folder, "mail")


def make_certificate(folder, name):
    """Another certificate of that authority, with a key of its own."""
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    own = ["-subj", "/CN=localhost", "-keyout", f"{name}.key", "-out", f"{name}.pem"]
    signed = ["-CA", "authority.pem", "-CAkey", "authority.key", "-addext", names]
    openssl("req", "-x509", *COMMON, *own, *signed, "-addext", "basicConstraints=critical,CA:FALSE", folder=folder)
    return folder
