"""Messages that tell people what is wrong, and whether they arrive."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.lookup.http import Answer
from blocklist.notify.notifier import Notifier
from blocklist.service import Service
from blocklist.web.api.framework.pagination import PageQuery, page_of
from blocklist.web.api.framework.resource import Gives, Resource
from blocklist.web.api.framework.schemas import Moment, Next

State = Literal["waiting", "delivered", "given up"]


class MessageBody(BaseModel):
    """One message to one channel, and what became of it."""

    id: int
    message: str = Field(description="The `webhook-id` that its receiver sees.")
    channel: str = Field(examples=["webhook:pager"])
    created_at: Moment
    summary: str
    state: State
    attempts: int
    next_try: Moment
    ended_at: Moment | None
    trouble: str | None


class MessagePage(Next):
    """A page of messages, newest first."""

    messages: list[MessageBody]


class Messages(BaseModel):
    """The messages of a test."""

    messages: list[MessageBody]


class MessageQuery(PageQuery):
    """Which messages."""

    state: State | None = Field(None, description="Only those in this state.")


class TestBody(BaseModel):
    """Where a test goes."""

    model_config = {"extra": "forbid"}
    channels: list[str] = Field([], max_length=100, description="Such as `webhook:pager`; none named: all.")


def notification_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Notifications", "Messages that tell people what is wrong.")

    @routes.operation("GET", "/v1/notifications", Role.VIEWER, Gives(200, MessagePage, "A page, newest first."))
    def list_messages(query: MessageQuery) -> Answer:
        """List messages and what became of each, newest first."""
        (before,) = query.place("messages", int) or (2**63 - 1,)
        found = service.store.alerts.messages(query.state, query.limit + 1, before)
        return page_of("messages", found, query, dict, lambda row: int(row["id"]))

    @routes.operation(
        "POST", "/v1/notifications/test", Role.ADMIN, Gives(200, Messages, "What became of each."), problems=(404,)
    )
    def send_test(body: TestBody) -> Answer:
        """Send a test to channels, and wait for what becomes of it."""
        return Answer(200, {"messages": Notifier(service).test(body.channels)})

    return routes
