"""The service itself: the snapshot, the settings in force, and what is wrong."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.web.api.framework.resource import Gives, Resource
from blocklist.web.api.framework.schemas import Moment
from blocklist.web.authorization import current_identity


class SnapshotBody(BaseModel):
    """The compiled list that answers."""

    version: int
    built_at: Moment
    confirmed_at: Moment = Field(description="When it was last known to be up to date.")
    rules: int
    listings: int
    base_version: int = Field(description="The version that was compiled whole, on which this one builds.")
    changed_keys: int = Field(description="Keys of the index that were compiled anew since; 0 if this one is whole.")
    bytes: int
    sha256: str
    policies: list[str]
    path: str


class SettingsBody(BaseModel):
    """The settings in force."""

    settings: dict[str, Any] = Field(description="By section, as in the configuration file; secrets are `***`.")


class FindingBody(BaseModel):
    """One thing that was examined, and what to do where it is not as it should be."""

    check: str
    ok: bool
    found: str
    mend: str


class Diagnosis(BaseModel):
    """Everything that was examined."""

    ok: bool
    findings: list[FindingBody]


def operation_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Service", "The snapshot, the settings in force, and what is wrong.")
    none_yet = (503,)

    @routes.operation(
        "GET", "/v1/snapshot", Role.VIEWER, Gives(200, SnapshotBody, "The current snapshot."), problems=none_yet
    )
    def show_snapshot() -> Answer:
        """Show version, age, size and contents of the current snapshot."""
        return Answer(200, service.snapshots.info())

    @routes.operation(
        "POST", "/v1/snapshot/build", Role.EDITOR, Gives(200, SnapshotBody, "The new snapshot."), problems=none_yet
    )
    def build_snapshot() -> Answer:
        """Compile everything that counts anew, and publish it."""
        service.snapshots.build(current_identity().actor)
        return Answer(200, service.snapshots.info())

    @routes.operation("GET", "/v1/settings", Role.ADMIN, Gives(200, SettingsBody, "The settings."))
    def show_settings() -> Answer:
        """Show the settings in force, defaults included; secrets are hidden."""
        return Answer(200, {"settings": service.settings.shown()})

    @routes.operation("GET", "/v1/doctor", Role.VIEWER, Gives(200, Diagnosis, "What was found."))
    def examine() -> Answer:
        """Examine the database, the log, the snapshot and the feeds; it reads all of them, and takes its time."""
        findings = service.doctor.diagnose()
        body = {"ok": all(item.ok for item in findings), "findings": [asdict(item) for item in findings]}
        return Answer(200, body)

    return routes
