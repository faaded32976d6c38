"""Cuts the official FHIR R4 JSON schema down to the resources that are read and written.

    python tools/fhir_schema.py fhir.schema.json muster/exchange/fhir-r4.schema.json.gz

Definitions are copied as they are; left out are only those that nothing kept refers to. The list of
all resources (ResourceList) stays, as the list of names. Says the digest of what was read.
"""

import gzip
import hashlib
import json
import re
import sys
from pathlib import Path

KEPT = ("Bundle", "DiagnosticReport", "Group", "MessageHeader", "Observation", "Organization",
        "Specimen")  # fmt: skip


def cut(schema: dict) -> dict:
    """The schema with only the definitions that those in KEPT refer to, directly or not."""
    definitions, wanted, todo = schema["definitions"], {"ResourceList"}, list(KEPT)
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo += re.findall(r'"#/definitions/(\w+)"', json.dumps(definitions[name]))
    kept = {name: one for name, one in definitions.items() if name in wanted}
    return {"$schema": schema["$schema"], "id": schema["id"], "definitions": kept}


def main(source: str, target: str) -> None:
    content = Path(source).read_bytes()
    schema = json.loads(content)
    said = schema["definitions"]["StructureDefinition"]["properties"]["fhirVersion"]["description"]
    if "which is 4.0.1." not in said:
        raise SystemExit(f"{source} is not the schema of FHIR 4.0.1")
    text = json.dumps(cut(schema), ensure_ascii=False, separators=(",", ":"))
    Path(target).write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    sys.stdout.write(f"sha256 of {source}: {hashlib.sha256(content).hexdigest()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
