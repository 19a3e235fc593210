"""People who sign in to the pages."""

from __future__ import annotations

from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.serialization import person_body
from blocklist.web.api.framework.idempotency import IdempotencyHeaders, run_idempotent
from blocklist.web.api.framework.pagination import PageQuery, StrictModel, page_response
from blocklist.web.api.framework.resource import Resource, created
from blocklist.web.api.framework.schemas import NextPage, Timestamp
from blocklist.web.authorization import current_identity


class PersonPath(BaseModel):
    """The sign-in name of a person in an address."""

    name: str = Field(min_length=1, max_length=64)


class PersonBody(BaseModel):
    """The person. People are never deleted, because the audit log refers to them."""

    id: int
    name: str
    role: Role
    created_at: Timestamp
    created_by: str
    has_password: bool
    provider: bool = Field(description="Whether an OpenID provider authenticates them and sets the role.")
    signed_in_at: Timestamp | None
    disabled_at: Timestamp | None = Field(description="When the account was disabled; null while it is active.")


class AddedPerson(PersonBody):
    """The person, with a one-time link to set the password."""

    link: str | None = Field(description="Shown only once; null in the repeated response to an Idempotency-Key.")


class PersonPage(NextPage):
    """A page of people, oldest first."""

    people: list[PersonBody]


class NewPerson(StrictModel):
    """A person to add."""

    name: str = Field(min_length=1, max_length=64, description="The name that they sign in with.")
    role: Role


class PersonPatch(StrictModel):
    """What to change. Either change ends their sessions."""

    role: Role | None = None
    disabled: bool | None = Field(None, description="Disable or enable the account.")


class PersonLink(BaseModel):
    """A one-time link, shown only once. Older links stop working."""

    name: str
    link: str


class EndedSessions(BaseModel):
    """The number of sessions that were ended."""

    name: str
    ended: int


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("People", "Who can sign in to the pages, and their roles.")

    @routes.operation("GET", "/v1/people", role=Role.ADMIN, returns=PersonPage)
    def list_people(query: PageQuery) -> Answer:
        """List the people, including disabled ones."""
        found = service.people.all(query.limit + 1, query.after("people", 0))
        return page_response("people", found, query, person_body, lambda person: person.id)

    @routes.operation("POST", "/v1/people", role=Role.ADMIN, returns=created(AddedPerson), problems=(409,))
    def add_person(header: IdempotencyHeaders, body: NewPerson) -> Answer:
        """Add a person. They set their password with the link in the response."""

        def add() -> Answer:
            person, key = service.people.add(body.name, body.role, current_identity().actor)
            answer = person_body(person) | {"link": service.settings.link_address(key)}
            return Answer(201, answer, (("Location", f"/v1/people/{person.name}"),))

        return run_idempotent(service, header, add, secrets=("link",))

    @routes.operation("GET", "/v1/people/{name}", role=Role.ADMIN, returns=PersonBody)
    def show_person(path: PersonPath) -> Answer:
        """Show a person."""
        return Answer(200, person_body(service.people.get(path.name)))

    @routes.operation("PATCH", "/v1/people/{name}", role=Role.ADMIN, returns=PersonBody, problems=(409,))
    def change_person(path: PersonPath, body: PersonPatch) -> Answer:
        """Change the role of a person, or disable or enable the account."""
        actor = current_identity().actor
        if body.role is not None:
            service.people.set_role(path.name, body.role, actor)
        if body.disabled is not None:
            service.people.set_disabled(path.name, body.disabled, actor)
        return Answer(200, person_body(service.people.get(path.name)))

    @routes.operation("POST", "/v1/people/{name}/link", role=Role.ADMIN, returns=PersonLink, problems=(409,))
    def make_link(path: PersonPath) -> Answer:
        """Create a one-time link with which a person sets a new password."""
        person, key = service.people.new_link(path.name, current_identity().actor)
        return Answer(200, {"name": person.name, "link": service.settings.link_address(key)})

    @routes.operation("POST", "/v1/people/{name}/sign-out", role=Role.ADMIN, returns=EndedSessions)
    def sign_out(path: PersonPath) -> Answer:
        """End all sessions of a person."""
        ended = service.people.sign_out_everywhere(path.name, current_identity().actor)
        return Answer(200, {"name": path.name, "ended": ended})

    return routes
