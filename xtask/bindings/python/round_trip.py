"""Reads documents into the generated models, looks at them as a user would, and writes them again; then makes one.

Arguments: a file with a kind and a document per line, parted by a tab, and the file to write.
"""

import datetime
import sys
import uuid

from pydantic import ValidationError

import lucihub_models
from lucihub_models import v1, v2


def state(run: lucihub_models.AnyRun) -> str:
    """The present state, whatever the version."""
    if isinstance(run, v1.RunDocument):
        return run.run.states[-1].status
    return run.run.head.states[-1].state


def read(kind: str, text: str):
    match kind:
        case "run":
            run = lucihub_models.read_run(text)
            assert isinstance(run, v1.RunDocument if run.version == "v1" else v2.RunDocument)
            assert state(run), "a state is a word"
            if isinstance(run, v2.RunDocument):
                for series in run.run.series:
                    missing = sum(gap.end - gap.first for gap in series.gaps)
                    assert series.end - series.first == missing + len(series.values)
            return run
        case "device":
            device = lucihub_models.read_device(text)
            assert device.device.id and device.device.type
            return device
        case "head":
            head = lucihub_models.read_head(text)
            assert head.head.created_at.tzinfo is not None
            return head
        case _:
            raise ValueError(f"no kind of document is called {kind}")


def made() -> v2.RunDocument:
    """A run from nothing: what is not given is not written."""
    now = datetime.datetime(2026, 11, 23, 17, 30, 0, 250000, datetime.UTC)
    head = v2.RunHead(
        id=uuid.UUID("0198c1f0-3f5e-7c3a-9d52-3f6a0d1b2c4e"),
        type="run",
        created_at=now,
        states=[v2.StateChange(state="queued", at=now)],
        input={"ic": -0.0, "none": None},
    )
    run = v2.RunDocument(version="v2", run=v2.Run(head=head))
    # Changes of what was absent are written too, however deep.
    run.run.head.labels["made in"] = "Python"
    run.run.logs.append(v2.LogLine(text="appended"))
    assert "appended" in lucihub_models.write(run)
    return run


def main(given: str, written: str) -> None:
    with open(given, encoding="utf-8", newline="\n") as lines, open(written, "w", encoding="utf-8", newline="\n") as out:
        for line in lines:
            kind, text = line.rstrip("\n").split("\t", 1)
            out.write(f"{kind}\t{lucihub_models.write(read(kind, text))}\n")
        out.write(f"run\t{lucihub_models.write(made())}\n")
    for wrong in ('{"version":"v9","run":{}}', '{"version":"v2","run":{"head":{}}}', '{"run":{}}'):
        try:
            lucihub_models.read_run(wrong)
        except ValidationError:
            continue
        raise AssertionError(f"was read: {wrong}")


if __name__ == "__main__":
    main(*sys.argv[1:])
