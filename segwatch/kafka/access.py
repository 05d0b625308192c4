"""Users of Kafka and their rights, made in Kafka itself: by who may do everything there."""

from collections.abc import Iterable
from typing import Final

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka.errors import SecurityDisabledError

from segwatch.errors import BusError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import bus_errors, open_admin
from segwatch.kafka.roles import Member, role_rights
from segwatch.kafka.security import MECHANISM

_ITERATIONS: Final = 16_384
"""How often a password is hashed: the most that Kafka allows."""


def grant_rights(address: KafkaAddress, members: Iterable[Member], *, with_segments: bool) -> int:
    """Give members the rights of their roles, and return how many these are; those that they have stay.

    Raises ``BusError``, also where Kafka looks at nobody's rights.
    """
    wanted = [
        ACL(
            f"User:{member.user}", "*", ACLOperation[operation], ACLPermissionType.ALLOW,
            ResourcePattern(ResourceType[right.resource], right.name),
        )
        for member in members
        for right in role_rights(member.role, with_segments=with_segments)
        for operation in right.operations
    ]  # fmt: skip
    with open_admin(address) as admin, bus_errors(address):
        failed = admin.create_acls(wanted)["failed"]
        if SecurityDisabledError in failed:
            raise BusError(
                f"Kafka at {address.bootstrap} has no authorizer, so everybody has every right in it; "
                "docs/security.md says how to set authorizer.class.name."
            )
        if failed:
            raise failed[0]
    return len(wanted)


def set_login(address: KafkaAddress, user: str, password: str) -> None:
    """Let a user log in with a password, and no more with the one before. Raises ``BusError``."""
    _alter(address, user, UserScramCredentialUpsertion(user, MECHANISM, password, iterations=_ITERATIONS))


def remove_login(address: KafkaAddress, user: str) -> None:
    """Let a user log in no more; connections that are open stay. Raises ``BusError``."""
    _alter(address, user, UserScramCredentialDeletion(user, MECHANISM))


def _alter(
    address: KafkaAddress, user: str, alteration: UserScramCredentialUpsertion | UserScramCredentialDeletion
) -> None:
    with open_admin(address) as admin, bus_errors(address):
        refused = admin.alter_user_scram_credentials([alteration])[user]
    if refused is not None:
        raise BusError(f"Kafka at {address.bootstrap} refuses to change the user {user} ({refused.rstrip('. ')}).")
