"""Certificates by which others are verified."""

import os
import ssl

from segwatch.errors import UsageError


def tls_context(ca_file: str, setting: str) -> ssl.SSLContext:
    """Return what a client's connections are encrypted by: names and signatures of certificates are verified.

    ``ca_file`` holds certificates (PEM) and is what ``setting`` says; empty: those that this machine trusts. Raise
    UsageError where it cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except ssl.SSLError as error:
        raise UsageError(f"the setting {setting} names {ca_file}, which holds no certificates (PEM).") from error
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise UsageError(f"the setting {setting} names {ca_file}, which cannot be read: {reason}.") from error
