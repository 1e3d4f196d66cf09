# Written by `cargo xtask codegen`. Change the models in Rust, not this file.
"""Runs and devices of LuciHub: a module of pydantic models for each version, and unions told apart by `version`."""

from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter

from . import v1, v2

AnyRun = Annotated[v1.RunDocument | v2.RunDocument, Field(discriminator="version")]
_any_run: TypeAdapter[AnyRun] = TypeAdapter(AnyRun)


def read_run(text: str | bytes) -> AnyRun:
    """Reads a run of any version; raises `pydantic.ValidationError` for anything else."""
    return _any_run.validate_json(text)


AnyDevice = Annotated[v1.DeviceDocument | v2.DeviceDocument, Field(discriminator="version")]
_any_device: TypeAdapter[AnyDevice] = TypeAdapter(AnyDevice)


def read_device(text: str | bytes) -> AnyDevice:
    """Reads a device of any version; raises `pydantic.ValidationError` for anything else."""
    return _any_device.validate_json(text)


AnyHead = v2.HeadDocument
_any_head: TypeAdapter[AnyHead] = TypeAdapter(AnyHead)


def read_head(text: str | bytes) -> AnyHead:
    """Reads a head of any version; raises `pydantic.ValidationError` for anything else."""
    return _any_head.validate_json(text)


def _note_changes(value: object) -> None:
    # Appending to a list that was absent sets no field, so pydantic would leave it out.
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            inner = getattr(value, name)
            if name not in value.model_fields_set and inner != field.get_default(call_default_factory=True):
                value.model_fields_set.add(name)
            _note_changes(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            _note_changes(inner)
    elif isinstance(value, list) and value and not isinstance(value[0], float):
        for inner in value:
            _note_changes(inner)


def write(document: BaseModel) -> str:
    """Writes a document. What was never set or changed stays absent: an absent input and `null` are two things."""
    _note_changes(document)
    return document.model_dump_json(by_alias=True, exclude_unset=True)
