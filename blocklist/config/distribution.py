"""The settings of signed snapshots for other machines."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from blocklist.text.field_types import Seconds, StrictModel

_SCHEMES = ("s3", "gs", "az", "file")


def _store_url(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in _SCHEMES or "@" in parts.netloc or not (parts.netloc or parts.path.strip("/"))):
        # The message does not repeat the address, which may contain a password.
        raise ValueError("not the address of a store: s3://BUCKET/PREFIX, gs://…, az://… or file:///FOLDER")
    return url


class DistributionSettings(StrictModel):
    """Signed snapshots for other machines; docs/distribution.md explains them."""

    url: Annotated[str, AfterValidator(_store_url)] = Field(
        "", description="Store that signed snapshots are sent to, such as s3://bucket/prefix; empty: none are sent."
    )
    options: dict[str, str] = Field(
        {},
        repr=False,
        description="What else the store needs, such as endpoint or region; credentials belong into the environment.",
    )
    online_key: str = Field(
        "", description="URI of the online key, which signs them, such as file:/etc/blocklist/online.pem."
    )
    sign_every: Seconds = Field(
        300, description="Time between two signatures, which tell nodes that nothing is held back."
    )
    valid_for: Seconds = Field(900, description="Validity of a signature: nodes report after this time that none came.")
    keep_for: Seconds = Field(3_600, description="How long replaced files stay in the store, for nodes that are slow.")
    poll: float = Field(2, ge=0.1, le=3_600, description="Seconds between two requests of a node for a newer list.")
    look: Seconds = Field(300, description="Time between two complete checks of a node, which find new keys too.")

    @model_validator(mode="after")
    def _can_be_signed(self) -> DistributionSettings:
        if self.url and not self.online_key:
            raise ValueError("url needs online_key, the key that signs")
        if self.valid_for < 2 * self.sign_every:
            raise ValueError("valid_for must be at least twice sign_every, so that one failure matters to no node")
        if self.keep_for < self.valid_for:
            raise ValueError("keep_for must be at least valid_for: a node may follow a signature for so long")
        return self
