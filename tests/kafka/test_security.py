"""TLS and logins: what the settings make of clients, and what is said where they cannot be."""

from pathlib import Path

import pytest

from segwatch.errors import UsageError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import client_options, faust_options
from segwatch.kafka.location import kafka_address
from segwatch.kafka.security import Security, configured_security
from segwatch.settings import Settings
from tests.certificates import Authority

SECRET = "a secret = word"  # noqa: S105  # of nobody
SECURED = Security("SASL_SSL", "", "edge-1", SECRET)


def test_plain_text_is_the_default() -> None:
    assert configured_security(Settings()) == Security()
    assert client_options(KafkaAddress(("a:1",)))["security_protocol"] == "PLAINTEXT"
    assert "broker_credentials" not in faust_options(KafkaAddress(("a:1",)))


def test_a_login_needs_all_its_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = Settings(kafka_security="SASL_SSL", kafka_ca_file="ca.pem", kafka_user="edge-1")
    monkeypatch.setattr("segwatch.passwords.settings", lambda: given)
    monkeypatch.delenv("SEGWATCH_KAFKA_PASSWORD_FILE", raising=False)
    with pytest.raises(UsageError, match="needs the setting kafka_password or kafka_password_file too"):
        configured_security(given)
    (tmp_path / "password").write_text(f"{SECRET}\n")
    monkeypatch.setenv("SEGWATCH_KAFKA_PASSWORD_FILE", str(tmp_path / "password"))
    assert configured_security(given) == Security("SASL_SSL", "ca.pem", "edge-1", SECRET)
    monkeypatch.setenv("SEGWATCH_KAFKA_PASSWORD_FILE", str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match=r"The password file .*nothing cannot be read"):
        configured_security(given)
    (tmp_path / "nothing").write_text("\n")
    with pytest.raises(UsageError, match=r"The password file .*nothing is empty"):
        configured_security(given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Settings(kafka_security="tls"), "must be one of plaintext, sasl_plaintext, sasl_ssl, ssl, not 'tls'"),
        (Settings(kafka_security="sasl_plaintext", kafka_password="x"), "needs the setting kafka_user too"),  # noqa: S106
        (Settings(kafka_user="edge-1"), "with kafka_security plaintext nobody logs in"),
        (Settings(kafka_security="ssl", kafka_user="edge-1"), "with kafka_security ssl nobody logs in"),
        (Settings(kafka_ca_file="ca.pem"), "kafka_ca_file is of use with TLS only"),
    ],
)
def test_settings_that_do_not_fit_get_a_sentence(given: Settings, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segwatch.passwords.settings", lambda: given)
    with pytest.raises(UsageError, match=words):
        configured_security(given)


def test_the_settings_go_with_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segwatch.kafka.location.settings", lambda: Settings(kafka="a:1", kafka_security="ssl"))
    assert kafka_address() == KafkaAddress(("a:1",), security=Security("SSL"))


def test_certificates_must_be_there_and_be_some(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no certificate")
    for name, words in (("none.pem", "holds no certificates"), ("missing.pem", "cannot be read: no such file")):
        with pytest.raises(UsageError, match=rf"the setting kafka_ca_file names .*{name}, which {words}"):
            Security("SSL", str(tmp_path / name)).tls_context()
    context = Security("SSL", str(Authority(tmp_path).ca_file)).tls_context()
    assert context is not None
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


def test_both_libraries_are_told_the_same() -> None:
    faust = pytest.importorskip("faust")
    address = KafkaAddress(("a:1",), security=SECURED)
    options = client_options(address)
    app = faust.App("test", **faust_options(address))
    login = app.conf.broker_credentials
    assert (login.protocol.value, login.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (login.protocol.value, login.mechanism.value) == (options["security_protocol"], options["sasl_mechanism"])
    assert (login.username, login.password) == (options["sasl_plain_username"], options["sasl_plain_password"])
    assert login.ssl_context.verify_mode == options["ssl_context"].verify_mode
    tls_alone = faust.App("test", **faust_options(KafkaAddress(("a:1",), security=Security("SSL"))))
    assert tls_alone.conf.broker_credentials.protocol.value == "SSL"


def test_passwords_are_not_shown() -> None:
    given = Settings(kafka_user="edge-1", kafka_password=SECRET, store_password=SECRET)
    assert SECRET not in repr(given) + repr(SECURED) + repr(KafkaAddress(("a:1",), security=SECURED))
