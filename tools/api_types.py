"""Writes web/src/generated/api.d.ts, the types of every question and answer, from the application's
OpenAPI document. `make types` runs it; with --check it only says whether the file is stale.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

os.environ |= {"MUSTER_LANGUAGE": "en", "LANG": "C.UTF-8"}  # the same text on every machine

import build_console
import msgspec

from muster.app import make_app

TYPES = build_console.WEB / "src" / "generated" / "api.d.ts"


def written() -> str:
    """The types as they are to be."""
    document = make_app(cast(Any, None)).openapi_schema.to_schema()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "openapi.json", Path(folder) / "api.d.ts"
        source.write_bytes(msgspec.json.encode(document, order="sorted"))
        build_console.install()
        build_console.node(
            "node_modules/openapi-typescript/bin/cli.js", str(source), "-o", str(target)
        )
        return target.read_text(encoding="utf-8")


def main() -> None:
    text = written()
    if "--check" not in sys.argv:
        TYPES.parent.mkdir(exist_ok=True)
        TYPES.write_text(text, encoding="utf-8")
    elif not TYPES.exists() or TYPES.read_text(encoding="utf-8") != text:
        sys.exit("web/src/generated/api.d.ts is stale: run `make types`")


if __name__ == "__main__":
    main()
