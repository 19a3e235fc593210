"""Overrides: an allow or block that has priority over every listing."""

from __future__ import annotations

from pydantic import Field

from blocklist.domain.access import Role
from blocklist.domain.errors import NotFoundError
from blocklist.domain.verdict import OverrideAction
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.serialization import ruled_body
from blocklist.web.api.framework.idempotency import IdempotencyHeaders, run_idempotent
from blocklist.web.api.framework.pagination import Flag, PageQuery, StrictModel, page_response
from blocklist.web.api.framework.resource import Resource, created
from blocklist.web.api.framework.schemas import IdPath, NextPage, Reason, RuleFields, Timestamp, read_time
from blocklist.web.authorization import current_identity


class OverrideBody(RuleFields):
    """The override. It is in force until it expires or is removed."""

    id: int
    action: OverrideAction
    reason: str
    author: str
    created_at: Timestamp
    until: Timestamp | None
    removed_at: Timestamp | None
    confirmed_at: Timestamp | None = Field(description="When it came into force; null while unconfirmed.")
    confirmed_by: str | None


class OverridePage(NextPage):
    """A page of overrides, oldest first."""

    overrides: list[OverrideBody]


class OverrideQuery(PageQuery):
    """Filters of overrides."""

    removed: Flag = Field(False, description="Include removed overrides.")


class NewOverride(StrictModel):
    """An override to add."""

    action: OverrideAction
    target: str = Field(
        min_length=1,
        max_length=65_536,
        description="A host (includes its subdomains), a URL (includes paths below it), an IP address, or `app:ID`.",
    )
    reason: Reason
    until: str | None = Field(None, description="Expiry time, such as 2026-12-31; default: never.")


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Overrides", "Allow or block a target, regardless of the feeds.")

    @routes.operation("GET", "/v1/overrides", role=Role.VIEWER, returns=OverridePage)
    def list_overrides(query: OverrideQuery) -> Answer:
        """List the overrides, including expired ones, oldest first."""
        after = query.after("overrides", 0)
        found = service.overrides.page(after=after, limit=query.limit + 1, removed=query.removed)
        return page_response("overrides", found, query, ruled_body, lambda item: item.id)

    @routes.operation("POST", "/v1/overrides", role=Role.EDITOR, returns=created(OverrideBody), problems=(409,))
    def add_override(header: IdempotencyHeaders, body: NewOverride) -> Answer:
        """Add an override, and publish.

        If the setting `access.two_people` is on, it is in force only after another person has confirmed it.
        """

        def add() -> Answer:
            actor = current_identity().actor
            made = service.overrides.add(body.action, body.target, body.reason, actor, read_time("until", body.until))
            return Answer(201, ruled_body(made), (("Location", f"/v1/overrides/{made.id}"),))

        return run_idempotent(service, header, add)

    @routes.operation("GET", "/v1/overrides/{id}", role=Role.VIEWER, returns=OverrideBody)
    def show_override(path: IdPath) -> Answer:
        """Show an override."""
        found = service.overrides.get(path.id)
        if found.removed_at:
            raise NotFoundError(f"override {path.id} was removed on {found.removed_at}: ?removed=true lists it")
        return Answer(200, ruled_body(found))

    @routes.operation("POST", "/v1/overrides/{id}/confirm", role=Role.APPROVER, returns=OverrideBody, problems=(409,))
    def confirm_override(path: IdPath) -> Answer:
        """Confirm an override that another person added (setting `access.two_people`), and publish."""
        return Answer(200, ruled_body(service.overrides.confirm(path.id, current_identity().actor)))

    @routes.operation("DELETE", "/v1/overrides/{id}", role=Role.EDITOR, returns=OverrideBody, problems=(409,))
    def remove_override(path: IdPath) -> Answer:
        """Remove an override, and publish. It stays in the history."""
        return Answer(200, ruled_body(service.overrides.remove(path.id, current_identity().actor)))

    return routes
