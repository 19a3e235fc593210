"""The settings of the guards as models: ``[guards]`` of the service, and ``[guards]`` of a feed's definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from blocklist.guards.guard import Limits
from blocklist.guards.registry import GUARDS
from blocklist.guards.setting_types import comma_separated

Model = TypeVar("Model", bound=BaseModel)

_SETTINGS = tuple(guard.setting for guard in GUARDS if guard.setting)
_GuardName: Any = Literal[*(guard.name for guard in GUARDS if guard.switchable)]
_GuardNames: Any = Annotated[tuple[_GuardName, ...], BeforeValidator(comma_separated)]
#: How the documentation describes the field ``off``, which belongs to no guard.
OFF_DESCRIPTION = 'Guards that are switched off, by name, such as "cut_off"; docs/operations.md lists them.'


def _with_fields(**fields: Any) -> Callable[[type[Model]], type[Model]]:
    """Return a decorator that adds fields to a model."""

    def extended(model: type[Model]) -> type[Model]:
        return create_model(
            model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields
        )

    return extended


@_with_fields(
    off=(_GuardNames, Field((), description=OFF_DESCRIPTION)),
    **{item.name: (item.type, Field(item.default, description=item.description)) for item in _SETTINGS},
)
class GuardSettings(Limits):
    """The limits within which a run needs no review by a person; a feed's definition may set its own."""


@_with_fields(
    off=(_GuardNames | None, None),
    **{item.name: (item.type, item.default) if item.merged else (item.type | None, None) for item in _SETTINGS},
)
class FeedGuards(BaseModel):
    """The limits of one feed. A null field takes the service's setting; lists add to those of the service."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def limits_of(feed: FeedGuards, service: GuardSettings) -> GuardSettings:
    """Return the limits that apply to a feed: its own where it sets some, otherwise those of the service."""
    own = {name: value for name, value in feed if value is not None}
    for setting in _SETTINGS:
        if setting.merged:
            own[setting.name] = tuple(dict.fromkeys((*setting.of(service), *own[setting.name])))
    return service.model_copy(update=own)
