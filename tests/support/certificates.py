"""Certificates that are made when they are needed, and nobody keeps."""

import subprocess


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def make_certificates(folder):
    """An authority, and a certificate of it for this machine's own names."""
    common = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    authority = ["-subj", "/CN=The tests' authority", "-keyout", "authority.key", "-out", "authority.pem"]
    openssl("req", "-x509", *common, *authority, folder=folder)
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    own = ["-subj", "/CN=localhost", "-keyout", "mail.key", "-out", "mail.pem"]
    signed = ["-CA", "authority.pem", "-CAkey", "authority.key", "-addext", names]
    openssl("req", "-x509", *common, *own, *signed, "-addext", "basicConstraints=critical,CA:FALSE", folder=folder)
    return folder
