"""One run of a feed: fetch, parse, normalize, diff, guard, record (:mod:`.run`), its guards and its review."""
