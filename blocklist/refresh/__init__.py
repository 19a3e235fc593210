"""One run of a feed: fetch, parse, normalize, diff, guard, record (:mod:`.run`); and the preview of one."""
