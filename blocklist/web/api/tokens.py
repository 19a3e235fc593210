"""Tokens for programs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from blocklist.domain.access import Role
from blocklist.domain.errors import NotFoundError
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.serialization import token_body
from blocklist.web.api.framework.idempotency import CreationHeaders, once
from blocklist.web.api.framework.pagination import PageQuery, page_of
from blocklist.web.api.framework.resource import Gives, Resource
from blocklist.web.api.framework.schemas import ById, Moment, Next, moment_of
from blocklist.web.authorization import current_identity


class TokenBody(BaseModel):
    """A token, without its secret; the prefix tells which one it is."""

    id: int
    name: str
    prefix: str
    role: Role
    created_at: Moment
    created_by: str
    expires_at: Moment | None
    last_used: Moment | None
    revoked_at: Moment | None
    state: Literal["active", "expired", "revoked"]


class CreatedToken(TokenBody):
    """A new token with its secret, which nobody can show again."""

    token: str | None = Field(description="The secret; null where the same Idempotency-Key is answered again.")


class TokenPage(Next):
    """A page of tokens, oldest first."""

    tokens: list[TokenBody]


class NewToken(BaseModel):
    """A token to make."""

    model_config = ConfigDict(extra="forbid")
    role: Role
    name: str = Field("", max_length=100)
    expires_at: str | None = Field(None, description="When it ends, such as 2027-01-01; never without.")


def token_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Tokens", "Access for programs.")

    @routes.operation("GET", "/v1/tokens", Role.ADMIN, Gives(200, TokenPage, "A page of tokens, oldest first."))
    def list_tokens(query: PageQuery) -> Answer:
        """List the tokens, revoked ones too."""
        (after,) = query.place("tokens", int) or (0,)
        found = service.tokens.all(query.limit + 1, after)
        return page_of("tokens", found, query, token_body, lambda token: token.id)

    @routes.operation(
        *("POST", "/v1/tokens", Role.ADMIN),
        Gives(201, CreatedToken, "The token, with its secret this once.", {"Location": "Its address."}),
        problems=(409,),
    )
    def create_token(header: CreationHeaders, body: NewToken) -> Answer:
        """Make a token; its secret is shown this once."""

        def create() -> Answer:
            actor = current_identity().actor
            token, secret = service.tokens.create(body.role, actor, body.name, moment_of("expires_at", body.expires_at))
            return Answer(201, token_body(token) | {"token": secret}, (("Location", f"/v1/tokens/{token.id}"),))

        return once(service, header, create, secrets=("token",))

    @routes.operation("GET", "/v1/tokens/{id}", Role.ADMIN, Gives(200, TokenBody, "The token."))
    def show_token(path: ById) -> Answer:
        """Show a token, without its secret."""
        found = service.tokens.get(path.id)
        if found.revoked_at:
            raise NotFoundError(f"token {path.id} was revoked on {found.revoked_at}; the list of all has it")
        return Answer(200, token_body(found))

    @routes.operation(
        *("DELETE", "/v1/tokens/{id}", Role.ADMIN), Gives(200, TokenBody, "The token, revoked."), problems=(409,)
    )
    def revoke_token(path: ById) -> Answer:
        """Revoke a token: what it asks from now on is refused."""
        return Answer(200, token_body(service.tokens.revoke(path.id, current_identity().actor)))

    return routes
