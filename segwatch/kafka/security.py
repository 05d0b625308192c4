"""What every connection to Kafka does for its safety: TLS, and a login by SCRAM.

The words are Kafka's own: ``security.protocol`` is one of ``PLAINTEXT``, ``SSL``, ``SASL_PLAINTEXT``, ``SASL_SSL``.
"""

import ssl
from dataclasses import dataclass, field
from typing import Any, Final

from segwatch.certificates import tls_context
from segwatch.errors import UsageError
from segwatch.passwords import configured_password
from segwatch.settings import Settings

MECHANISM: Final = "SCRAM-SHA-512"
PLAINTEXT: Final = "PLAINTEXT"
_TLS: Final = frozenset({"SSL", "SASL_SSL"})
_LOGIN: Final = frozenset({"SASL_PLAINTEXT", "SASL_SSL"})
_PROTOCOLS: Final = frozenset({PLAINTEXT}) | _TLS | _LOGIN


@dataclass(frozen=True)
class Security:
    """How clients connect."""

    protocol: str = PLAINTEXT
    ca_file: str = ""
    """Certificates by which those of the brokers are verified; empty: those that this machine trusts."""
    user: str = ""
    """Who logs in; empty where nobody does."""
    password: str = field(default="", repr=False)

    @property
    def has_tls(self) -> bool:
        """Whether connections are encrypted, and the brokers' certificates verified."""
        return self.protocol in _TLS

    @property
    def has_login(self) -> bool:
        """Whether clients say who they are."""
        return self.protocol in _LOGIN

    @property
    def who(self) -> str:
        """Who it is, for sentences."""
        return f"the user {self.user}" if self.user else "this user"

    def tls_context(self) -> ssl.SSLContext | None:
        """Return what connections are encrypted by, ``None`` without TLS. Raises UsageError."""
        return tls_context(self.ca_file, "kafka_ca_file") if self.has_tls else None

    def client_options(self) -> dict[str, Any]:
        """Return the arguments of kafka-python's clients. Raises UsageError as ``tls_context`` does."""
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if self.has_tls:
            options["ssl_context"] = self.tls_context()
        if self.has_login:
            options |= {
                "sasl_mechanism": MECHANISM,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return options

    def faust_options(self) -> dict[str, Any]:
        """Return the arguments of a ``faust.App``. Raises UsageError as ``tls_context`` does."""
        import faust

        context = self.tls_context()
        if self.has_login:
            login = faust.SASLCredentials(
                username=self.user, password=self.password, mechanism=MECHANISM, ssl_context=context
            )
            return {"broker_credentials": login}
        return {} if context is None else {"broker_credentials": faust.SSLCredentials(context)}


def configured_security(settings: Settings) -> Security:
    """Return what the settings say. Raise UsageError where they do not fit together."""
    protocol = settings.kafka_security.upper()
    if protocol not in _PROTOCOLS:
        told = ", ".join(sorted(name.lower() for name in _PROTOCOLS))
        raise UsageError(f"the setting kafka_security must be one of {told}, not {settings.kafka_security!r}.")
    if settings.kafka_ca_file and protocol not in _TLS:
        raise UsageError(
            f"the setting kafka_ca_file is of use with TLS only, and kafka_security is {protocol.lower()}; set that to "
            "ssl or sasl_ssl."
        )
    if protocol not in _LOGIN:
        if settings.kafka_user:
            raise UsageError(
                f"the setting kafka_user names a user, and with kafka_security {protocol.lower()} nobody logs in; set "
                "that to sasl_ssl."
            )
        return Security(protocol, settings.kafka_ca_file)
    password = configured_password("kafka_password")
    if not settings.kafka_user or not password:
        missing = "kafka_user" if not settings.kafka_user else "kafka_password or kafka_password_file"
        raise UsageError(f"kafka_security is {protocol.lower()}, which needs the setting {missing} too.")
    return Security(protocol, settings.kafka_ca_file, settings.kafka_user, password)
