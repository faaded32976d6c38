"""Valid FHIR R4 or not, by HL7's official JSON schema; see README.md for where it is from.

A resource is held against its own definition. The schema's list of all resources stands for a
resource within another: taken literally it tries 146 definitions and says no more than "none fits",
so nested resources are looked at one by one instead, and only those that are read.
"""

import gzip
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

_OFFENCES_LIMIT = 5  # of one resource; one wrong shape may offend a hundred times
_OFFENCE_CHARACTERS = 240

Resource = dict[str, Any]


@cache
def definitions() -> dict[str, Any]:
    """The official definitions by name."""
    packed = files("muster.exchange").joinpath("fhir-r4.schema.json.gz").read_bytes()
    return msgspec.json.decode(gzip.decompress(packed))["definitions"]


@cache
def resource_types() -> frozenset[str]:
    """Every resource type of R4."""
    return frozenset(
        one["$ref"].rpartition("/")[2] for one in definitions()["ResourceList"]["oneOf"]
    )


@cache
def _validator(kind: str):  # -> jsonschema_rs.Draft6Validator
    # 25 ms to import. Its regular expressions take linear time, whatever text they meet.
    from jsonschema_rs import Draft6Validator, RegexOptions

    return Draft6Validator(
        {"definitions": _objects(), "$ref": f"#/definitions/{kind}"},
        mask="the value",  # it may be a name
        pattern_options=RegexOptions(),
    )


@cache
def _objects() -> dict[str, Any]:
    """The definitions, with what the schema leaves out and R4 says (json.html): that a complex type
    is an object. Without it a text in place of a Reference is valid."""
    return {
        name: {**one, "type": "object"} if "properties" in one else one
        for name, one in definitions().items()
    } | {"ResourceList": True}


def offences(kind: str, resource: Resource) -> Iterator[tuple[list[str | int], str]]:
    """(path, what is wrong) for a resource of a type; values are not told. Raises nothing."""
    try:
        for number, error in enumerate(_validator(kind).iter_errors(resource)):
            if number >= _OFFENCES_LIMIT:
                return
            offence, found, _ = error.message.partition(' does not match "')
            told = f"{offence} has not the form of its type" if found else offence
            yield list(error.instance_path), told[:_OFFENCE_CHARACTERS]
    except (ValueError, OverflowError) as error:  # half of a surrogate pair, for one
        yield [], f"it cannot be read ({type(error).__name__})"
