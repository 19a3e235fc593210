"""API tokens."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.domain.errors import NotFoundError
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.service.serialization import token_body
from blocklist.web.api.framework.idempotency import IdempotencyHeaders, run_idempotent
from blocklist.web.api.framework.pagination import PageQuery, StrictModel, page_response
from blocklist.web.api.framework.resource import Resource, created
from blocklist.web.api.framework.schemas import IdPath, NextPage, Timestamp, read_time
from blocklist.web.authorization import current_identity


class TokenBody(BaseModel):
    """The token without its secret. The prefix identifies it."""

    id: int
    name: str
    prefix: str
    role: Role
    created_at: Timestamp
    created_by: str
    expires_at: Timestamp | None
    last_used: Timestamp | None
    revoked_at: Timestamp | None
    state: Literal["active", "expired", "revoked"]


class CreatedToken(TokenBody):
    """The new token with its secret, which is shown only once."""

    token: str | None = Field(description="The secret; null in the repeated response to an Idempotency-Key.")


class TokenPage(NextPage):
    """A page of tokens, oldest first."""

    tokens: list[TokenBody]


class NewToken(StrictModel):
    """A token to create."""

    role: Role
    name: str = Field("", max_length=100)
    expires_at: str | None = Field(None, description="Expiry time, such as 2027-01-01; default: never.")


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Tokens", "API tokens for programs.")

    @routes.operation("GET", "/v1/tokens", role=Role.ADMIN, returns=TokenPage)
    def list_tokens(query: PageQuery) -> Answer:
        """List the tokens, including revoked ones."""
        found = service.tokens.all(query.limit + 1, query.after("tokens", 0))
        return page_response("tokens", found, query, token_body, lambda token: token.id)

    @routes.operation("POST", "/v1/tokens", role=Role.ADMIN, returns=created(CreatedToken), problems=(409,))
    def create_token(header: IdempotencyHeaders, body: NewToken) -> Answer:
        """Create a token. Its secret is shown only once."""

        def create() -> Answer:
            actor = current_identity().actor
            token, secret = service.tokens.create(body.role, actor, body.name, read_time("expires_at", body.expires_at))
            return Answer(201, token_body(token) | {"token": secret}, (("Location", f"/v1/tokens/{token.id}"),))

        return run_idempotent(service, header, create, secrets=("token",))

    @routes.operation("GET", "/v1/tokens/{id}", role=Role.ADMIN, returns=TokenBody)
    def show_token(path: IdPath) -> Answer:
        """Show a token, without its secret."""
        found = service.tokens.get(path.id)
        if found.revoked_at:
            raise NotFoundError(f"token {path.id} was revoked on {found.revoked_at}; the list of tokens still has it")
        return Answer(200, token_body(found))

    @routes.operation("DELETE", "/v1/tokens/{id}", role=Role.ADMIN, returns=TokenBody, problems=(409,))
    def revoke_token(path: IdPath) -> Answer:
        """Revoke a token: requests with it are refused from now on."""
        return Answer(200, token_body(service.tokens.revoke(path.id, current_identity().actor)))

    return routes
