"""What commands, HTTP and pages call: one function a task, over one data folder.

Each function that changes something takes the ``actor`` who asked for it and writes the audit log in the transaction of
the change.
"""

from __future__ import annotations

from blocklist.service.audit import AuditTasks
from blocklist.service.background import BackgroundTasks
from blocklist.service.evidence import EvidenceTasks
from blocklist.service.feeds import FeedTasks
from blocklist.service.holds import HoldTasks
from blocklist.service.overrides import OverrideTasks, override_rule
from blocklist.service.provider import ProviderTasks
from blocklist.service.runs import RunDetail
from blocklist.service.snapshots import SnapshotTasks
from blocklist.service.targets import read_target
from blocklist.service.tokens import TokenTasks

__all__ = ["RunDetail", "Service", "override_rule", "read_target"]


class Service(
    FeedTasks,
    BackgroundTasks,
    HoldTasks,
    EvidenceTasks,
    OverrideTasks,
    TokenTasks,
    ProviderTasks,
    AuditTasks,
    SnapshotTasks,
):
    """The control plane over one data folder: each base has the tasks of one resource."""
