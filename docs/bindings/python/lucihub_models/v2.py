# Written by `cargo xtask codegen` with datamodel-code-generator. Change the models in Rust, not this file.

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType


class Channel(BaseModel):
    """
    One channel. Its number is its place in the run's list, from 0.
    """

    model_config = ConfigDict(
        extra='allow',
    )
    carrier: Annotated[str | None, Field(examples=['04-E9-E5-00-00-01'])] = None
    """
    The carrier it is measured on, by MAC.
    """
    name: Annotated[str | None, Field(examples=['x'])] = None
    """
    A name for people.
    """
    probe: Annotated[str | None, Field(examples=['ADC0'])] = None
    """
    The probe on the carrier, for example the ADC input.
    """
    unit: Annotated[str | None, Field(examples=['V'])] = None
    """
    The unit of its values; machine units if absent.
    """


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


ExactF641 = TypeAliasType(
    "ExactF641",
    Annotated[
        str, Field(examples=[-0.5, '7ff8000000000001'], pattern='^[0-9A-Fa-f]{16}$')
    ],
)
"""
A 64-bit float, bit for bit. NaN and infinities are the 16 hexadecimal digits of their bits.
"""


ExactF64 = TypeAliasType(
    "ExactF64", Annotated[float | ExactF641, Field(examples=[-0.5, '7ff8000000000001'])]
)
"""
A 64-bit float, bit for bit. NaN and infinities are the 16 hexadecimal digits of their bits.
"""


class FinalValue(BaseModel):
    """
    What an element read when the run had ended.
    """

    model_config = ConfigDict(
        extra='allow',
    )
    element: str
    """
    Which element, by its path on the device.
    """
    value: ExactF64
    """
    The value, in machine units, bit for bit. Unit: machine unit.
    """


GapCause = TypeAliasType(
    "GapCause", Annotated[str, Field(examples=['device', 'overflow', 'store'])]
)
"""
The cause of a gap; unknown words are kept.
"""


class Grid(BaseModel):
    """
    The size of a run's cells: cell `k` holds the indices `[k * size, (k + 1) * size)`.

    Coordinates are closed: a field more would change what they mean, so it needs a new version, and a document that has one is refused.
    """

    model_config = ConfigDict(
        extra='forbid',
    )
    lines: Annotated[int, Field(ge=1, le=2048)]
    """
    Log lines per cell. Unit: line.
    """
    samples: Annotated[int, Field(ge=1024, le=1048576)]
    """
    Samples per cell and channel: a power of two. Unit: sample.
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


Phase = TypeAliasType(
    "Phase",
    Annotated[
        str,
        Field(
            examples=['NEW', 'QUEUED', 'TAKE_OFF', 'IC', 'OP', 'OP_END', 'DONE', 'ERROR', 'TMP_HALT']
        ),
    ],
)
"""
The phase of a carrier; unknown words are kept.
"""


RelationKind = TypeAliasType(
    "RelationKind",
    Annotated[str, Field(examples=['verifies', 'repeats', 'compiled_by'])],
)
"""
The kind of relation; unknown words are kept.
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


class TimeBase(BaseModel):
    """
    How a sample index becomes a time: `t = origin_s + index / rate_hz`. Closed, as all coordinates are.
    """

    model_config = ConfigDict(
        extra='forbid',
    )
    origin_s: Annotated[float, Field(examples=[0.0])] = 0.0
    """
    The time of sample 0, in seconds from the start of OP. Unit: s.
    """
    rate_hz: Annotated[float, Field(examples=[10000.0])]
    """
    Samples per second and channel. Unit: Hz.
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
    A device in the registry. It stays when the device leaves.

    The scanner owns what was seen (`device_type`, `firmware`, `entity_digest`, `seen_at`), the operator owns `input_type` and `parameter_schema`; neither overwrites the other.
    """

    model_config = ConfigDict(
        extra='allow',
    )
    entity_digest: str | None = None
    """
    The digest of its entity tree.
    """
    firmware: str | None = None
    """
    Its firmware.
    """
    id: DeviceId
    """
    Its name.
    """
    input_type: InputType | None = None
    """
    The type of input it takes.
    """
    parameter_schema: Json | None = None
    """
    What a valid input looks like.
    """
    seen_at: Timestamp | None = None
    """
    When a scanner last saw it.
    """
    type: DeviceType
    """
    The kind of machine.
    """


class DeviceDocument(BaseModel):
    """
    A device of version 2, as a document that says its version first.
    """

    device: Device
    version: Literal['v2']
    """
    The version of the document.
    """


class Gap(BaseModel):
    """
    A stretch of indices without samples. Closed, as all coordinates are.
    """

    model_config = ConfigDict(
        extra='forbid',
    )
    cause: GapCause
    """
    Why they are missing.
    """
    end: Annotated[int, Field(ge=0, le=18446744073709551615)]
    """
    The index after the last missing one. Unit: sample.
    """
    first: Annotated[int, Field(ge=0, le=18446744073709551615)]
    """
    The first missing index. Unit: sample.
    """
    inferred: bool = False
    """
    Whether the length is a conclusion rather than known.
    """


class LogLine(BaseModel):
    """
    One line of a run's log.

    Its text is any Unicode: newline, U+2028 and NUL are characters like others and come back as part of this one line.
    """

    model_config = ConfigDict(
        extra='allow',
    )
    at: Timestamp | None = None
    """
    When it was written. Version 1 did not know.
    """
    cut_from: Annotated[int | None, Field(ge=0, le=18446744073709551615)] = None
    """
    The length in bytes before the recorder cut it to the limit. Unit: byte.
    """
    level: Annotated[str | None, Field(examples=['warning'])] = None
    """
    How grave it is, in the writer's words.
    """
    source: Annotated[str | None, Field(examples=['worker'])] = None
    """
    Which part wrote it.
    """
    text: str
    """
    The text.
    """


class Overload(BaseModel):
    """
    A computing element left its range.
    """

    model_config = ConfigDict(
        extra='allow',
    )
    at: Timestamp
    """
    When the message came, by the worker's clock.
    """
    element: str
    """
    Which element, by its path on the device.
    """
    sample: Annotated[int | None, Field(ge=0, le=18446744073709551615)] = None
    """
    The sample index at that moment, if it is known. Unit: sample.
    """


class PhaseChange(BaseModel):
    """
    A carrier changed its phase.
    """

    model_config = ConfigDict(
        extra='allow',
    )
    at: Timestamp
    """
    When the message came, by the worker's clock.
    """
    carrier: str | None = None
    """
    Which carrier, by MAC; all of them if absent.
    """
    device_ns: Annotated[int | None, Field(ge=0, le=18446744073709551615)] = None
    """
    The device's own time, in nanoseconds since it took the run. Unit: ns.
    """
    phase: Phase
    """
    The phase from then on.
    """


class Relation(BaseModel):
    """
    That a run belongs to another.
    """

    model_config = ConfigDict(
        extra='allow',
    )
    kind: RelationKind
    """
    How.
    """
    run: RunId
    """
    The other run.
    """


class Series(BaseModel):
    """
    The samples of one channel over `[first, end)`.

    `values` holds the samples that exist, in order of index; the indices in `gaps` have none. So a NaN that was measured never reads as a gap.

    Reading one from a document refuses a range, gaps and values that do not agree.
    """

    model_config = ConfigDict(
        extra='forbid',
    )
    end: Annotated[int, Field(ge=0, le=18446744073709551615)]
    """
    The index after the range. Unit: sample.
    """
    first: Annotated[int, Field(ge=0, le=18446744073709551615)] = 0
    """
    The first index of the range. Unit: sample.
    """
    gaps: Annotated[list[Gap], Field(validate_default=True)] = []
    """
    Where samples are missing, ascending, inside the range.
    """
    values: list[ExactF64]
    """
    The samples that exist, in machine units unless the channel says otherwise. Unit: machine unit.
    """


class StateChange(BaseModel):
    """
    One change of state. The order of changes is the order of application, never that of their times.
    """

    model_config = ConfigDict(
        extra='allow',
    )
    at: Timestamp
    """
    When it changed, by the clock of who changed it.
    """
    reason: str | None = None
    """
    Why, in a sentence.
    """
    state: RunState
    """
    The state from then on.
    """


class RunHead(BaseModel):
    """
    The head of a run: everything but log lines and samples.

    It is what hot storage caches and cold storage embeds, as one type.
    """

    model_config = ConfigDict(
        extra='allow',
    )
    channels: Annotated[list[Channel], Field(validate_default=True)] = []
    """
    The channels; a channel's number is its place.
    """
    created_at: Timestamp
    """
    When it was created.
    """
    device: DeviceId | None = None
    """
    The device it runs on, if the job needs one.
    """
    device_type: DeviceType | None = None
    """
    The kind of that device.
    """
    entity_digest: str | None = None
    """
    The digest of the device's entity tree.
    """
    error: str | None = None
    """
    What went wrong, for people.
    """
    final_values: Annotated[list[FinalValue], Field(validate_default=True)] = []
    """
    What elements read when the run had ended.
    """
    firmware: str | None = None
    """
    The device's firmware.
    """
    grid: Annotated[Grid, Field(validate_default=True)] = {
        'lines': 1024,
        'samples': 65536,
    }
    """
    The size of its cells in cold storage, fixed when it is created.
    """
    ic_time_ns: Annotated[
        int | None, Field(examples=[100000], ge=0, le=18446744073709551615)
    ] = None
    """
    How long integrators load their initial values, in nanoseconds. Unit: ns.
    """
    id: RunId
    """
    Its identity.
    """
    input: Json | None = None
    """
    The input, byte for byte.
    """
    input_type: InputType | None = None
    """
    The type of the input.
    """
    k0: Annotated[int | None, Field(examples=[1, 10000], ge=0, le=4294967295)] = None
    """
    The time scale factor of the integrators.
    """
    labels: dict[str, str] = {}
    """
    Names and values for people and tools.
    """
    op_time_ns: Annotated[
        int | None, Field(examples=[100000000], ge=0, le=18446744073709551615)
    ] = None
    """
    How long it shall integrate, in nanoseconds. Unit: ns.
    """
    output: Json | None = None
    """
    The output, byte for byte, once there is one.
    """
    overloads: Annotated[list[Overload], Field(validate_default=True)] = []
    """
    The overloads, in order of arrival.
    """
    owner: Annotated[str | None, Field(examples=['group-3'])] = None
    """
    Whose run it is: an opaque name, never a credential.
    """
    parameter_schema: str | None = None
    """
    The id of the parameter schema that the input was checked against.
    """
    phases: Annotated[list[PhaseChange], Field(validate_default=True)] = []
    """
    The device's phases, in order of arrival.
    """
    priority: Annotated[int | None, Field(ge=-2147483648, le=2147483647)] = None
    """
    Greater goes first; 0 if absent.
    """
    related_to: Annotated[list[Relation], Field(validate_default=True)] = []
    """
    The runs it belongs to.
    """
    states: list[StateChange]
    """
    The state changes, in order of application.
    """
    time_base: TimeBase | None = None
    """
    How sample indices become times.
    """
    type: JobType
    """
    The type of job.
    """
    worker: str | None = None
    """
    The worker that executes it.
    """


class HeadDocument(BaseModel):
    """
    A head of version 2, as a document that says its version first.
    """

    head: RunHead
    version: Literal['v2']
    """
    The version of the document.
    """


class Run(BaseModel):
    """
    A whole run, assembled on demand.
    """

    model_config = ConfigDict(
        extra='allow',
    )
    head: RunHead
    """
    Everything but log lines and samples.
    """
    logs: Annotated[list[LogLine], Field(validate_default=True)] = []
    """
    The log.
    """
    series: Annotated[list[Series], Field(validate_default=True)] = []
    """
    The samples, a series per channel.
    """


class RunDocument(BaseModel):
    """
    A run of version 2, as a document that says its version first.
    """

    run: Run
    version: Literal['v2']
    """
    The version of the document.
    """


Document = TypeAliasType(
    "Document",
    Annotated[
        RunDocument | DeviceDocument | HeadDocument, Field(title='Document')
    ],
)
"""
Any document of version 2.
"""
