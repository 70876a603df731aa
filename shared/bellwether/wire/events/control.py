"""Events that steer the platform instead of being counted."""

from typing import Annotated

from bellwether.wire.events.envelope import Body, Envelope
from bellwether.wire.events.fields import Identifier, any_of, check_one_of


class ErasureData(Body, frozen=True, gc=False, kw_only=True):
    """Whom to forget: the pseudonym in `author.id`, in `member_id`, or both."""

    member_id: Identifier | None = None

    def __post_init__(self) -> None:
        check_one_of("author", "member_id", given=bool(self.author or self.member_id))


class Erasure(Envelope, frozen=True, gc=False, kw_only=True, tag="privacy.erasure.v1"):
    """A person is to be forgotten: texts and identities go from the stores, counts stay."""

    data: Annotated[ErasureData, any_of("author", "member_id")]


class AccountRevokedData(Body, frozen=True, gc=False, kw_only=True):
    """The account that a connector may no longer read."""

    account: Identifier


class AccountRevoked(Envelope, frozen=True, gc=False, kw_only=True, tag="connector.account.revoked.v1"):
    """A platform withdrew a connector's access: polling stops, an alert is raised."""

    data: AccountRevokedData
