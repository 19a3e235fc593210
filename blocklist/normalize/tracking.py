"""Parameters of an address that say how somebody came to a page, and not which page it is.

A list states the address that its author saw. With such a parameter in its rule, only a request that has the same one
would match. The list is closed: a name that sites also use otherwise (``ref``, ``sid``) is not on it.
"""

from __future__ import annotations

import re

from blocklist.domain.verdict import Target

_TRACKING = re.compile(
    r"(?:utm_[a-z_]+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|ymclid|twclid|ttclid|igshid|mc_cid|mc_eid"
    r"|_ga|_gl|phpsessid|jsessionid|aspsessionid[a-z]*)(?:%20)*(?:=|\Z)",
    re.IGNORECASE,
).match
_SESSION_IN_PATH = re.compile(r";(?:jsessionid|phpsessid)=[^/;]*", re.IGNORECASE)


def without_tracking(target: Target) -> Target:
    """Return a target without the parameters of campaigns, click counters and sessions.

    >>> without_tracking(Target("pirate.example", None, "/", frozenset({"utm_source=report", "v=1"}))).params
    frozenset({'v=1'})
    """
    path = target.path
    if path is None:
        return target
    if ";" in path:
        path = _SESSION_IN_PATH.sub("", path)
    params = target.params
    if any(map(_TRACKING, params)):
        params = frozenset(param for param in params if not _TRACKING(param))
    return target._replace(path=path, params=params)
