"""The table of guards.

To add one, write it in the module of its kind and list it in that module's tuple, test it, and run
``python -m tests.docs.regenerate``.
"""

from __future__ import annotations

from blocklist.guards.body_guards import BODY_GUARDS
from blocklist.guards.entry_guards import ENTRY_GUARDS
from blocklist.guards.guard import FlaggingGuard, Guard, HoldingGuard, RefusingGuard
from blocklist.guards.list_guards import LIST_GUARDS

#: Every guard, in the order in which they check and in which the documentation lists them.
GUARDS: tuple[Guard, ...] = (*BODY_GUARDS, *LIST_GUARDS, *ENTRY_GUARDS)
#: The guards that hold single entries, those that flag them, and those that refuse them.
HOLDING_GUARDS = tuple(guard for guard in GUARDS if isinstance(guard, HoldingGuard))
FLAGGING_GUARDS = tuple(guard for guard in GUARDS if isinstance(guard, FlaggingGuard))
REFUSING_GUARDS = tuple(guard for guard in GUARDS if isinstance(guard, RefusingGuard))
