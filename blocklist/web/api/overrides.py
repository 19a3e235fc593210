"""Overrides: an admin's word above every listing."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from blocklist.domain.access import Role
from blocklist.domain.errors import NotFoundError
from blocklist.domain.verdict import OverrideAction
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.serialization import override_body
from blocklist.web.api.framework.idempotency import CreationHeaders, once
from blocklist.web.api.framework.pagination import PageQuery, Switch, page_of
from blocklist.web.api.framework.resource import Gives, Resource
from blocklist.web.api.framework.schemas import ById, Moment, Next, Reason, Ruled, moment_of
from blocklist.web.authorization import current_identity


class OverrideBody(Ruled):
    """An override, in force until it expires or is removed."""

    id: int
    action: OverrideAction
    reason: str
    author: str
    created_at: Moment
    until: Moment | None
    removed_at: Moment | None
    confirmed_at: Moment | None = Field(description="Since when it counts; null while it waits for a second person.")
    confirmed_by: str | None


class OverridePage(Next):
    """A page of overrides, oldest first."""

    overrides: list[OverrideBody]


class OverrideQuery(PageQuery):
    """Which overrides."""

    removed: Switch = Field(False, description="Those that were removed, too.")


class NewOverride(BaseModel):
    """An override to add."""

    model_config = ConfigDict(extra="forbid")
    action: OverrideAction
    target: str = Field(
        min_length=1,
        max_length=65_536,
        description="A host (with all below it), a URL (with all below its path), an address, or `app:` and an id.",
    )
    reason: Reason
    until: str | None = Field(None, description="When it ends, such as 2026-12-31; without, it lasts until removed.")


def override_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Overrides", "Allow or block a target whatever the feeds say.")

    @routes.operation("GET", "/v1/overrides", Role.VIEWER, Gives(200, OverridePage, "A page, oldest first."))
    def list_overrides(query: OverrideQuery) -> Answer:
        """List the overrides, oldest first; expired ones too."""
        (after,) = query.place("overrides", int) or (0,)
        found = service.overrides.page(after=after, limit=query.limit + 1, removed=query.removed)
        return page_of("overrides", found, query, override_body, lambda item: item.id)

    @routes.operation(
        *("POST", "/v1/overrides", Role.EDITOR),
        Gives(201, OverrideBody, "The override.", {"Location": "Its address."}),
        problems=(409,),
    )
    def add_override(header: CreationHeaders, body: NewOverride) -> Answer:
        """Allow or block a target, and publish.

        Where the setting `access.two_people` is on, it counts once somebody else confirms it.
        """

        def add() -> Answer:
            actor = current_identity().actor
            made = service.overrides.add(body.action, body.target, body.reason, actor, moment_of("until", body.until))
            return Answer(201, override_body(made), (("Location", f"/v1/overrides/{made.id}"),))

        return once(service, header, add)

    @routes.operation("GET", "/v1/overrides/{id}", Role.VIEWER, Gives(200, OverrideBody, "The override."))
    def show_override(path: ById) -> Answer:
        """Show an override."""
        found = service.overrides.get(path.id)
        if found.removed_at:
            raise NotFoundError(f"override {path.id} was removed on {found.removed_at}: ?removed=true lists it")
        return Answer(200, override_body(found))

    @routes.operation(
        *("POST", "/v1/overrides/{id}/confirm", Role.APPROVER),
        Gives(200, OverrideBody, "The override, which counts from now on."),
        problems=(409,),
    )
    def confirm_override(path: ById) -> Answer:
        """Confirm an override that somebody else added, where the setting `access.two_people` wants it; and publish."""
        return Answer(200, override_body(service.overrides.confirm(path.id, current_identity().actor)))

    @routes.operation(
        *("DELETE", "/v1/overrides/{id}", Role.EDITOR),
        Gives(200, OverrideBody, "The override, which no longer counts."),
        problems=(409,),
    )
    def remove_override(path: ById) -> Answer:
        """End an override, and publish; it is kept, with the date of its end."""
        return Answer(200, override_body(service.overrides.remove(path.id, current_identity().actor)))

    return routes
