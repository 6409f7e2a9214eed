"""What pydantic found wrong, as a place and a sentence."""

from __future__ import annotations

import json
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from wizard.model.answers import AnswersModel
from wizard.model.questions import Key

# What a field has to be, by pydantic's name for the mistake.
WANTED = {
    "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float": "a whole number",
    "bool_type": "true or false", "bool_parsing": "true or false", "string_type": "a text in quotes",
    "list_type": "a list", "model_type": "a table", "model_attributes_type": "a table", "dict_type": "a table",
}  # fmt: skip
# What others call what has a name here; only where that name is known at the place.
OTHER_NAMES = {
    **dict.fromkeys(("interface", "iface", "ifname", "nic", "dev", "devname", "device", "port", "name"), "netdev"),
    **dict.fromkeys(("pci", "pci_address", "bdf", "slot", "pci_slot"), "address"),
    **dict.fromkeys(("mac_address", "hwaddr", "ether"), "mac"),
    **dict.fromkeys(("serial_number", "sn"), "serial"),
    **dict.fromkeys(("vendor_id", "vendorid"), "vendor"),
    **dict.fromkeys(("product_id", "device_id", "productid"), "product"),
    **dict.fromkeys(("num_vfs", "numvfs", "vfs", "vf_count", "sriov_numvfs"), "count"),
    **dict.fromkeys(("gateway", "gw"), "router"),
    **dict.fromkeys(("vlan_id", "vid"), "vlan"),
    **dict.fromkeys(("subnet", "network"), "cidr"),
}


def problem(error: ValidationError, model: type[AnswersModel]) -> tuple[Key, str]:
    """The thing that is wrong first of all: its place in the model and a sentence that says what would be right."""
    of = _named(model, error.title) or model
    every = sorted(error.errors(), key=lambda each: _gravity(of, each))
    first = every[0]
    key = _key(of, first)
    kind, given_ = first["type"], first.get("input")
    if kind == "extra_forbidden":
        known = _fields(model, key[:-1])
        meant = OTHER_NAMES.get(str(key[-1]).lower().replace("-", "_"), "")
        right = f"; write {meant} instead" if meant in known else ""
        return key, f"is not a known key{right}; known here: {', '.join(known)}"
    if kind == "missing":
        return key, "is missing"
    if kind == "value_error":
        return key, str(first["ctx"]["error"])
    # a field that may be one thing or another has an error for each
    same = [
        each for each in every if _key(of, each) == key and (each["type"] in WANTED or each["type"] == "literal_error")
    ]
    wanted = [each["ctx"]["expected"] if each["type"] == "literal_error" else WANTED[each["type"]] for each in same]
    if wanted:
        return key, f"has to be {' or '.join(dict.fromkeys(wanted))}, not {_shown(given_)}"
    return key, f"{first['msg']}, not {_shown(given_)}"


def gravest(error: ValidationError, model: type[AnswersModel]) -> Any:
    """Pydantic's own words on the thing that is wrong first of all."""
    of = _named(model, error.title) or model
    return min(error.errors(), key=lambda each: _gravity(of, each))


def _gravity(model: type[BaseModel], error: Any) -> tuple[bool, int, bool]:
    """Unknown keys first, since others may only follow from them; then what is deepest inside; what is said in our words."""
    return error["type"] != "extra_forbidden", -len(_key(model, error)), error["type"] != "value_error"


def _key(model: type[BaseModel], error: Any) -> Key:
    """The place of an error by the answers' own names. Where a field may be one thing or another, pydantic puts a name of its own
    for each of them behind the field's: that one is left out."""
    own = error["loc"][-1:] if error["type"] == "extra_forbidden" else ()  # as it was written, whatever it looks like
    key: list[str | int] = []
    here: tuple[Any, ...] = (model,)  # what may stand at this place
    chosen = True
    for part in error["loc"][: len(error["loc"]) - len(own)]:
        if len(here) > 1 and not chosen:
            chosen = True
            continue
        key.append(part)
        here, chosen = tuple(kind for each in here for kind in _below(each, part)), False
    return (*key, *own)


def _below(annotation: Any, part: str | int) -> tuple[Any, ...]:
    """What may stand at a place within something of this kind; nothing where there is no such place."""
    arguments = get_args(annotation)
    if isinstance(part, int):
        return _kinds(arguments[0]) if get_origin(annotation) is list else ()
    if get_origin(annotation) is dict:
        return _kinds(arguments[1])
    field = getattr(annotation, "model_fields", {}).get(part)
    return _kinds(field.annotation) if field is not None else ()


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The things that a field may be, each by itself; None is not among them."""
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(kind for each in get_args(annotation) for kind in _kinds(each))
    return () if annotation is type(None) else (annotation,)


def _named(model: type[BaseModel], title: str) -> type[BaseModel] | None:
    """The model of this name, at or below another: one that is made by itself tells of its own fields."""
    if model.__name__ == title:
        return model
    below = (kind for field in model.model_fields.values() for kind in _kinds(field.annotation))
    inner = (each for kind in below for each in (kind, *get_args(kind)) if hasattr(each, "model_fields"))
    return next((found for each in inner if (found := _named(each, title)) is not None), None)


def _shown(value: object) -> str:
    try:
        text = json.dumps(value, default=str)
    except ValueError:  # Python refuses to write a number of some thousand digits
        return "a number of far too many digits"
    except RecursionError:
        return "brackets that stand too deep in each other"
    return text if len(text) <= 60 else text[:57] + "..."


def _fields(model: type[AnswersModel], key: Key) -> list[str]:
    """The names of the fields of the model at a place."""
    here: Any = model
    for part in key:
        if isinstance(part, int):
            continue
        field = getattr(here, "model_fields", {}).get(part)
        if field is None:
            return []
        here = _model_in(field.annotation)
    return sorted(getattr(here, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    if hasattr(annotation, "model_fields"):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def _dotted(key: Key) -> str:
    text = ""
    for part in key:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
