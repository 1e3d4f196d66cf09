"""Reads a run that was exported in every format, and compares it with what was recorded, bit for bit.

Called with the folder of the files; `expected.json` in it has the names of the channels and the bits of their samples.
"""

import json
import sys
from pathlib import Path

import numpy
import pandas
import polars

FOLDER = Path(sys.argv[1])
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
NAMES = EXPECTED["names"]
TIMES = numpy.array(EXPECTED["times"], dtype=numpy.uint64)
LENGTH = len(TIMES)
WORDS = {"nan": numpy.nan, "inf": numpy.inf, "-inf": -numpy.inf}


def bits(values):
    return numpy.ascontiguousarray(numpy.asarray(values, dtype=numpy.float64)).view(numpy.uint64)


def check(reader, column, missing, exact_nan):
    """`column` and `missing` give arrays by name."""
    assert bits(column("time_s")).tolist() == TIMES.tolist(), f"{reader}: time_s"
    assert numpy.asarray(column("index")).tolist() == list(range(LENGTH)), f"{reader}: index"
    for name, wanted in zip(NAMES, EXPECTED["bits"], strict=True):
        where = f"{reader}, {name!r}"
        absent = numpy.array([sample is None for sample in wanted])
        assert numpy.asarray(missing(name)).tolist() == absent.tolist(), f"{where}: missing"
        raw = numpy.asarray(column(name))
        assert raw.dtype == numpy.float64, f"{where}: {raw.dtype}"
        there = numpy.array([0 if sample is None else int(sample) for sample in wanted], dtype=numpy.uint64)
        values = there.view(numpy.float64)
        assert numpy.isnan(raw[absent]).all(), f"{where}: a gap is no NaN"
        same = bits(raw) == there
        if not exact_nan:
            same |= numpy.isnan(values) & numpy.isnan(raw)
        assert same[~absent].all(), f"{where}: sample {numpy.nonzero(~same & ~absent)[0][0]} differs"
    print(f"{reader}: {len(NAMES)} channels of {LENGTH}")


def from_flags(reader, column):
    """JSON has null for what is no number; the flags say what it is."""

    def values(name):
        raw = numpy.array(column(name))
        if name in NAMES:
            raw = raw.astype(numpy.float64)
            flags = numpy.asarray(column(f"{name}_flag"))
            assert numpy.isnan(raw[flags != "ok"]).all(), f"{reader}, {name!r}: a flag at a number"
            for word, value in WORDS.items():
                raw[flags == word] = value
        return raw

    check(reader, values, lambda name: numpy.asarray(column(f"{name}_flag")) == "missing", exact_nan=False)


def numpy_npz():
    with numpy.load(FOLDER / "run.npz") as arrays:
        assert arrays["index"].dtype == numpy.int64
        check("numpy.load", lambda name: arrays[name], lambda name: arrays[f"{name}_missing"], exact_nan=True)


def numpy_csv():
    path = FOLDER / "run.csv"
    columns = ["index", "time_s", *NAMES]
    header = 1 + sum(name.count("\n") for name in [*NAMES, *NAMES])
    options = {"delimiter": ",", "quotechar": '"', "skiprows": header, "encoding": "utf-8"}
    numbers = numpy.loadtxt(path, usecols=range(len(columns)), **options)
    words = numpy.loadtxt(path, usecols=range(len(columns), len(columns) + len(NAMES)), dtype=str, **options)
    check(
        "numpy.loadtxt",
        lambda name: numbers[:, columns.index(name)],
        lambda name: words[:, NAMES.index(name)] == "true",
        exact_nan=False,
    )


def pandas_csv():
    frame = pandas.read_csv(FOLDER / "run.csv")
    check("pandas.read_csv", lambda name: frame[name], lambda name: frame[f"{name}_missing"], exact_nan=False)


def pandas_jsonl():
    frame = pandas.read_json(FOLDER / "run.jsonl", lines=True, precise_float=True)
    from_flags("pandas.read_json", lambda name: frame[name])


def polars_tables():
    csv = polars.read_csv(FOLDER / "run.csv")
    # It leaves doubled quotes of a header as they are.
    csv.columns = [name.replace('""', '"') for name in csv.columns]
    for reader, frame, exact_nan in [
        ("polars.read_csv", csv, False),
        ("polars.read_ipc", polars.read_ipc(FOLDER / "run.arrow"), True),
        ("polars.read_parquet", polars.read_parquet(FOLDER / "run.parquet"), True),
    ]:
        column = lambda name, frame=frame: frame[name].to_numpy()
        check(reader, column, lambda name: column(f"{name}_missing"), exact_nan)


def polars_jsonl():
    frame = polars.read_ndjson(FOLDER / "run.jsonl", infer_schema_length=None)
    from_flags("polars.read_ndjson", lambda name: frame[name].to_numpy())


def json_document():
    document = json.loads((FOLDER / "run.json").read_text(encoding="utf-8"))
    rate, origin = document["rate_hz"], document["origin_s"]
    names = [channel["name"] for channel in document["channels"]]
    flags = {}
    for name, stretches in zip(names, document["flags"], strict=True):
        flags[name] = numpy.full(LENGTH, "ok", dtype=object)
        for stretch in stretches:
            flags[name][stretch["first"] : stretch["end"]] = stretch["is"]

    def column(name):
        if name == "index":
            return numpy.arange(document["first"], document["end"])
        if name == "time_s":
            return origin + numpy.arange(document["first"], document["end"]) / rate
        if name in names:
            values = document["measurements"][names.index(name)]
            return numpy.array(values, dtype=numpy.float64)
        return flags[name.removesuffix("_flag")]

    from_flags("json.load", column)


for read in [numpy_npz, numpy_csv, pandas_csv, pandas_jsonl, polars_tables, polars_jsonl, json_document]:
    read()
