"""Write ``sample.expected.json`` of every feed again: ``python -m tests.feeds.regenerate [NAME …]``.

Read the difference before committing it: the file says what is right, not what the code happens to give.
"""

from __future__ import annotations

import json
import sys

from blocklist.definitions.catalog import catalog_folder, catalog_names, from_catalog
from tests.feeds.reading import result

if __name__ == "__main__":
    for name in sys.argv[1:] or catalog_names():
        if from_catalog(name).reference_only:
            continue
        path = catalog_folder() / name / "sample.expected.json"
        path.write_text(json.dumps(result(name), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
