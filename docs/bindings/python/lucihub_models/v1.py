# Written by `cargo xtask codegen` with datamodel-code-generator. Change the models in Rust, not this file.

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field
from typing_extensions import TypeAliasType

DeviceId = TypeAliasType(
    "DeviceId",
    Annotated[
        str, Field(examples=['lucidac-04-e9-e5'], pattern='^[A-Za-z0-9._:-]{1,128}$')
    ],
)
"""
The name of a device.
"""


DeviceType = TypeAliasType(
    "DeviceType", Annotated[str, Field(examples=['LUCIDAC', 'REDAC', 'SIMULATOR'])]
)
"""
The type of device; unknown words are kept.
"""


InputType = TypeAliasType(
    "InputType", Annotated[str, Field(examples=['analang', 'apb', 'circuit', 'lucipy'])]
)
"""
The type of input; unknown words are kept.
"""


JobType = TypeAliasType(
    "JobType", Annotated[str, Field(examples=['compile', 'run', 'verify', 'simulate'])]
)
"""
The type of job; unknown words are kept.
"""


Json = TypeAliasType("Json", Any)
"""
Any JSON value; its bytes are kept.
"""


RunId = TypeAliasType(
    "RunId", Annotated[UUID, Field(examples=['0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e'])]
)
"""
The identity of one execution.

New ids are UUIDv7, so that they sort by creation; any UUID is accepted.
"""


RunState = TypeAliasType(
    "RunState",
    Annotated[
        str,
        Field(examples=['queued', 'inprogress', 'succeeded', 'failed', 'cancelled']),
    ],
)
"""
The state of a run; unknown words are kept.
"""


Timestamp = TypeAliasType(
    "Timestamp",
    Annotated[AwareDatetime, Field(examples=['2026-11-23T17:30:00.250000Z'])],
)
"""
UTC, whole microseconds, RFC 3339.
"""


class Device(BaseModel):
    """
    A device: a machine that runs jobs.
    """

    id: DeviceId
    """
    Its name.
    """
    input_type: InputType
    """
    The type of input it takes.
    """
    parameter_schema: Json
    """
    What a valid input looks like.
    """
    type: DeviceType
    """
    The kind of machine.
    """


class DeviceDocument(BaseModel):
    """
    A device of version 1, as a document that says its version first.
    """

    device: Device
    version: Literal['v1']
    """
    The version of the document.
    """


class StateChange(BaseModel):
    """
    One change of state.
    """

    status: RunState
    """
    The state from then on.
    """
    timestamp: Timestamp
    """
    When it changed.
    """


class Run(BaseModel):
    """
    A run: the whole record of one job.
    """

    channels: Annotated[int, Field(ge=0, le=65536)]
    """
    The number of channels, at most 65,536 in a document. Unit: channel.
    """
    device_id: DeviceId
    """
    The device it ran on.
    """
    id: RunId
    """
    Its identity.
    """
    input: Json
    """
    The input.
    """
    input_type: InputType
    """
    The type of the input.
    """
    logs: list[str]
    """
    The log, a line each.
    """
    measurements: list[list[float]]
    """
    The measurements, a list per channel, in machine units. Unit: machine unit.
    """
    output: Json | None = None
    """
    The output, once there is one.
    """
    states: list[StateChange]
    """
    The state changes, in order.
    """
    type: JobType
    """
    The type of job.
    """


class RunDocument(BaseModel):
    """
    A run of version 1, as a document that says its version first.
    """

    run: Run
    version: Literal['v1']
    """
    The version of the document.
    """


Document = TypeAliasType(
    "Document", Annotated[RunDocument | DeviceDocument, Field(title='Document')]
)
"""
Any document of version 1.
"""
