"""People who sign in."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from blocklist.domain.access import Person, Role
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.serialization import person_body
from blocklist.web.api.framework.idempotency import CreationHeaders, once
from blocklist.web.api.framework.pagination import PageQuery, page_of
from blocklist.web.api.framework.resource import Gives, Resource
from blocklist.web.api.framework.schemas import Moment, Next
from blocklist.web.authorization import current_identity


class ByPerson(BaseModel):
    """A person, by the name under which they sign in."""

    name: str = Field(min_length=1, max_length=64)


class PersonBody(BaseModel):
    """Somebody who signs in. Nobody is deleted: the log names them."""

    id: int
    name: str
    role: Role
    created_at: Moment
    created_by: str
    has_password: bool
    provider: bool = Field(description="An OpenID provider says who it is, and the role.")
    signed_in_at: Moment | None
    disabled_at: Moment | None = Field(description="Since when they are shut out; null where they are not.")


class AddedPerson(PersonBody):
    """A person, and the one-time link by which they set their password."""

    link: str | None = Field(description="Shown this once; null where the same Idempotency-Key is answered again.")


class PersonPage(Next):
    """A page of people, oldest first."""

    people: list[PersonBody]


class NewPerson(BaseModel):
    """A person to add."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=64, description="The name under which they sign in.")
    role: Role


class PersonPatch(BaseModel):
    """What to change of a person; either ends their sessions."""

    model_config = ConfigDict(extra="forbid")
    role: Role | None = None
    disabled: bool | None = Field(None, description="Shut them out, or let them in again.")


class PersonLink(BaseModel):
    """A one-time link; older ones open nothing any more."""

    name: str
    link: str


class EndedSessions(BaseModel):
    """How many sessions were ended."""

    name: str
    ended: int


def people_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("People", "Who signs in to the pages, and what they may do.")

    @routes.operation("GET", "/v1/people", Role.ADMIN, Gives(200, PersonPage, "A page of people, oldest first."))
    def list_people(query: PageQuery) -> Answer:
        """List everybody, those who are shut out too."""
        (after,) = query.place("people", int) or (0,)
        found = service.people.all(query.limit + 1, after)
        return page_of("people", found, query, person_body, lambda person: person.id)

    @routes.operation(
        *("POST", "/v1/people", Role.ADMIN),
        Gives(201, AddedPerson, "The person, with the link this once.", {"Location": "Their address."}),
        problems=(409,),
    )
    def add_person(header: CreationHeaders, body: NewPerson) -> Answer:
        """Add a person, who sets their password by the link in the answer."""

        def add() -> Answer:
            person, key = service.people.add(body.name, body.role, current_identity().actor)
            answer = person_body(person) | {"link": service.settings.link_address(key)}
            return Answer(201, answer, (("Location", f"/v1/people/{person.name}"),))

        return once(service, header, add, secrets=("link",))

    @routes.operation("GET", "/v1/people/{name}", Role.ADMIN, Gives(200, PersonBody, "The person."))
    def show_person(path: ByPerson) -> Answer:
        """Show a person."""
        return _answer(service.people.get(path.name))

    @routes.operation(
        *("PATCH", "/v1/people/{name}", Role.ADMIN),
        Gives(200, PersonBody, "The person as they are now."),
        problems=(409,),
    )
    def change_person(path: ByPerson, body: PersonPatch) -> Answer:
        """Give a person another role, shut them out, or let them in again."""
        actor = current_identity().actor
        if body.role is not None:
            service.people.set_role(path.name, body.role, actor)
        if body.disabled is not None:
            service.people.set_disabled(path.name, body.disabled, actor)
        return _answer(service.people.get(path.name))

    @routes.operation(
        *("POST", "/v1/people/{name}/link", Role.ADMIN),
        Gives(200, PersonLink, "The link, this once."),
        problems=(409,),
    )
    def make_link(path: ByPerson) -> Answer:
        """Make a link by which a person sets a new password."""
        person, key = service.people.new_link(path.name, current_identity().actor)
        return Answer(200, {"name": person.name, "link": service.settings.link_address(key)})

    @routes.operation(
        "POST", "/v1/people/{name}/sign-out", Role.ADMIN, Gives(200, EndedSessions, "How many sessions there were.")
    )
    def sign_out(path: ByPerson) -> Answer:
        """End every session of a person."""
        ended = service.people.sign_out_everywhere(path.name, current_identity().actor)
        return Answer(200, {"name": path.name, "ended": ended})

    return routes


def _answer(person: Person) -> Answer:
    return Answer(200, person_body(person))
