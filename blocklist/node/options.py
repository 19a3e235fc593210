"""What a worker is told when it starts: plain data, so that a worker loads neither pydantic nor the configuration."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """The settings of a node, as a worker's program takes them in its arguments; secrets stay in their files."""

    folder: str
    max_age: float
    gate_unknown: Literal["allow", "block"] = "allow"
    token_file: str | None = None
    tls_certificate: str | None = None
    tls_key: str | None = None
    cors_origins: tuple[str, ...] = ()
    access_log: float = 0.0
    max_connections: int = 16_384

    def to_json(self) -> str:
        """Return the options as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> NodeOptions:
        """Return the options that :meth:`to_json` wrote."""
        data = json.loads(text)
        return cls(**data | {"cors_origins": tuple(data["cors_origins"])})
