"""The service itself: the snapshot, the settings, and the health checks of the doctor."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.web.api.framework.resource import Resource
from blocklist.web.api.framework.schemas import Timestamp
from blocklist.web.authorization import current_identity


class SnapshotBody(BaseModel):
    """The current snapshot: the compiled list that lookups use."""

    version: int
    built_at: Timestamp
    confirmed_at: Timestamp = Field(description="When a run last confirmed that it is current.")
    rules: int
    listings: int
    base_version: int = Field(description="The last version that was compiled completely; this one adds changes to it.")
    changed_keys: int = Field(description="Index keys that were compiled since then; 0 if this one is complete.")
    bytes: int
    sha256: str
    policies: list[str]
    path: str


class SettingsBody(BaseModel):
    """The settings in force."""

    settings: dict[str, Any] = Field(description="By section, as in the configuration file; secrets are `***`.")


class FindingBody(BaseModel):
    """The result of one check."""

    check: str
    ok: bool
    found: str
    mend: str = Field(description="What to do if it is not ok.")


class Diagnosis(BaseModel):
    """The results of all checks."""

    ok: bool
    findings: list[FindingBody]


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Service", "The snapshot, the settings in force, and health checks.")

    @routes.operation("GET", "/v1/snapshot", role=Role.VIEWER, returns=SnapshotBody, problems=(503,))
    def show_snapshot() -> Answer:
        """Show the version, age, size and contents of the current snapshot."""
        return Answer(200, service.snapshots.info())

    @routes.operation("POST", "/v1/snapshot/build", role=Role.EDITOR, returns=SnapshotBody, problems=(503,))
    def build_snapshot() -> Answer:
        """Compile a new snapshot, and publish it."""
        service.snapshots.build(current_identity().actor)
        return Answer(200, service.snapshots.info())

    @routes.operation("GET", "/v1/settings", role=Role.ADMIN, returns=SettingsBody)
    def show_settings() -> Answer:
        """Show the settings in force, including defaults; secrets are hidden."""
        return Answer(200, {"settings": service.settings.shown()})

    @routes.operation("GET", "/v1/doctor", role=Role.VIEWER, returns=Diagnosis)
    def examine() -> Answer:
        """Check the database, the audit log, the snapshot and the feeds. It reads all of them and can be slow."""
        findings = service.doctor.diagnose()
        return Answer(200, {"ok": all(item.ok for item in findings), "findings": [asdict(item) for item in findings]})

    return routes
