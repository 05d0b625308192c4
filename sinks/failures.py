"""What a ClickHouse server or the way to it refused, as one sentence."""

import re
from typing import Any

from clickhouse_driver.errors import Error, NetworkError, ServerException, SocketTimeoutError

from segwatch.errors import SegwatchError, StoreError, StoreUnavailableError

# Numbers of src/Common/ErrorCodes.cpp of ClickHouse.
CANNOT_WRITE_TO_FILE = 75
DATABASE_NOT_FOUND = 81
TABLE_NOT_FOUND = 60
MEMORY_LIMIT_EXCEEDED = 241
NOT_ENOUGH_SPACE = 243
TOO_MANY_PARTS = 252
TABLE_IS_READ_ONLY = 242
QUERY_CANCELLED = 394
ACCESS_DENIED = 497
AUTHENTICATION_FAILED = 516

RETRYABLE_CODES = frozenset({TOO_MANY_PARTS, 159, 202, 209, 210, 236, 319, 425})
"""Timeouts, too many parts, too many queries, network errors and aborted work: the same block may succeed later."""
LASTING_CODES = frozenset({MEMORY_LIMIT_EXCEEDED, NOT_ENOUGH_SPACE, QUERY_CANCELLED, TABLE_IS_READ_ONLY})
"""Lack of memory or room, cancelled work, tables that take nothing now: they pass, but not within seconds."""

_STACK_TRACE = re.compile(r"[.\s]*Stack trace:.*", re.DOTALL)
_NO_SPACE = re.compile(r"No space left on device|errno: 28\b|not enough space", re.IGNORECASE)
_UNTRUSTED = re.compile(r"certificate verify failed: (.+?)(?: \(_ssl\.c|$)")
"""What Python's ssl says of a certificate that it does not trust."""


class QueryError(SegwatchError):
    """The server refused a statement of the user."""

    exit_code = 1


def server_message(error: Any) -> str:
    """Return the server's own words, without the stack trace, in one line."""
    message = str(getattr(error, "message", None) or error)
    message = _STACK_TRACE.sub("", message).removeprefix("DB::Exception: ")
    return re.sub(r"\s*\n\s*", " ", message).strip().rstrip(".")


def is_disk_full(error: Any) -> bool:
    """Return whether the server's disk was full."""
    return getattr(error, "code", None) == NOT_ENOUGH_SPACE or bool(_NO_SPACE.search(server_message(error)))


def is_worth_retrying(error: Exception) -> bool:
    """Return whether the same insert may succeed later."""
    if isinstance(error, ServerException):
        return error.code in RETRYABLE_CODES and not is_disk_full(error)
    return isinstance(error, NetworkError | SocketTimeoutError | EOFError | OSError)


def is_passing(error: Exception) -> bool:
    """Return whether the same may succeed later, be it much later."""
    if isinstance(error, ServerException):
        return error.code in RETRYABLE_CODES | LASTING_CODES or is_disk_full(error)
    return is_worth_retrying(error)


def store_error(error: Exception, store: str) -> StoreError:
    """Return the sentence for an error of the server or of the connection; ``store`` names the store."""
    if isinstance(error, ServerException):
        kind = StoreUnavailableError if is_passing(error) else StoreError
        return kind(_server_sentence(error, store))
    if isinstance(error, NetworkError | SocketTimeoutError | EOFError | OSError):
        return _connection_error(error, store)
    if isinstance(error, Error):
        return StoreError(f"The store {store} answered in an unexpected way ({server_message(error)}).")
    return StoreError(f"The store {store} failed ({type(error).__name__}: {error}).")


def _connection_error(error: Exception, store: str) -> StoreError:
    reason = server_message(error) or type(error).__name__
    if untrusted := _UNTRUSTED.search(reason):
        return StoreError(
            f"The certificate of the store {store} is not trusted ({untrusted[1].rstrip('.')}); SEGWATCH_STORE_CA_FILE "
            "must name the certificates of who signed it, and the store's URL the server as its certificate does."
        )
    advice = "see that it runs and try again"
    if isinstance(error, EOFError) and store.startswith("clickhouse:"):
        advice += ", by clickhouses:// where it speaks TLS"
    return StoreUnavailableError(f"The store {store} cannot be reached ({reason}); {advice}.")


def _server_sentence(error: Any, store: str) -> str:
    words = server_message(error)
    if is_disk_full(error):
        return f"The disk of the store {store} is full; free some space there and run the command again."
    match error.code:
        case code if code == AUTHENTICATION_FAILED:
            return (
                f"The store {store} refused the user name or the password; the password is read from "
                "SEGWATCH_STORE_PASSWORD or from the file that SEGWATCH_STORE_PASSWORD_FILE names."
            )
        case code if code == ACCESS_DENIED:
            return (
                f"The user has not the rights that it needs in the store {store} ({words}); docs/security.md tells "
                "what each user may do: tables are made and upgraded by one of its own."
            )
        case code if code == DATABASE_NOT_FOUND:
            return f"The database of the store {store} does not exist; `segwatch schema --store` makes it."
        case code if code == MEMORY_LIMIT_EXCEEDED:
            return f"The store {store} ran out of memory ({words})."
    return f"The store {store} refused (code {error.code}: {words})."
