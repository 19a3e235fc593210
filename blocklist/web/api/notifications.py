"""Notifications, and whether they were delivered."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.web.api.framework.pagination import LAST_ID, PageQuery, StrictModel, page_response
from blocklist.web.api.framework.resource import Resource
from blocklist.web.api.framework.schemas import NextPage, Timestamp

State = Literal["waiting", "delivered", "given up"]


class MessageBody(BaseModel):
    """One message to one channel, and its delivery state."""

    id: int
    message: str = Field(description="The `webhook-id` that the receiver gets.")
    channel: str = Field(examples=["webhook:pager"])
    created_at: Timestamp
    summary: str
    state: State
    attempts: int
    next_try: Timestamp
    ended_at: Timestamp | None
    trouble: str | None


class MessagePage(NextPage):
    """A page of messages, newest first."""

    messages: list[MessageBody]


class Messages(BaseModel):
    """The test messages and their delivery states."""

    messages: list[MessageBody]


class MessageQuery(PageQuery):
    """Filters of messages."""

    state: State | None = Field(None, description="Only messages in this state.")


class TestBody(StrictModel):
    """The channels of a test."""

    channels: list[str] = Field([], max_length=100, description="Such as `webhook:pager`; default: all channels.")


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Notifications", "Messages about problems, sent to the configured channels.")

    @routes.operation("GET", "/v1/notifications", role=Role.VIEWER, returns=MessagePage)
    def list_messages(query: MessageQuery) -> Answer:
        """List the messages and their delivery states, newest first."""
        found = service.notifier.messages(query.state, query.limit + 1, query.after("messages", LAST_ID))
        return page_response("messages", found, query, dict, lambda row: int(row["id"]))

    @routes.operation("POST", "/v1/notifications/test", role=Role.ADMIN, returns=Messages, problems=(404,))
    def send_test(body: TestBody) -> Answer:
        """Send a test message to channels, and wait for the result."""
        return Answer(200, {"messages": service.notifier.test(body.channels)})

    return routes
