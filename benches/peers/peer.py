"""What one writes in an afternoon in Python: lists and strings in Redis, then one row through SQLAlchemy.

The samples of a channel are raw little-endian f64 in one string that APPEND makes longer; states and lines are lists.
At the end all of it is read, put into the database as one row, and deleted. Nothing is numbered, checked, encoded or
read back. `cargo xtask bench --peers` starts this beside its own measurements and asks for a turn at a time, as
`serve.py` says; the answer has the seconds that the work took.
"""

import json
import time
import uuid
from datetime import UTC, datetime

import numpy as np
import redis
from serve import serve
from sqlalchemy import JSON, LargeBinary, String, create_engine, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Run(Base):
    __tablename__ = "plain_runs"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(index=True)
    channels: Mapped[int]
    input: Mapped[dict] = mapped_column(JSON)
    states: Mapped[list] = mapped_column(JSON)
    logs: Mapped[list] = mapped_column(JSON)
    measurements: Mapped[bytes] = mapped_column(LargeBinary)


class Peer:
    def __init__(self, redis_port, database, samples, channels, lines, states):
        self.redis = redis.Redis(host="127.0.0.1", port=redis_port)
        self.redis.ping()
        self.samples = np.fromfile(samples, dtype="<f8").reshape(channels, -1)
        self.lines = lines
        self.states = states
        self.engine = None
        if database:
            self.engine = create_engine(database)
            Base.metadata.create_all(self.engine)
            if self.engine.dialect.name == "sqlite":
                with self.engine.connect() as connection:
                    connection.execute(text("PRAGMA journal_mode=WAL"))

    def keys(self, run):
        return [f"run:{run}:ch:{channel}" for channel in range(len(self.samples))]

    def chunks(self, run, chunk, window):
        """Appends the samples, so many batches to a round trip."""
        keys = self.keys(run)
        count = self.samples.shape[1]
        for begin in range(0, count, chunk * window):
            pipeline = self.redis.pipeline(transaction=False)
            for first in range(begin, min(begin + chunk * window, count), chunk):
                for key, values in zip(keys, self.samples):
                    pipeline.append(key, values[first : first + chunk].tobytes())
            pipeline.execute()

    def ingest(self, chunk, window):
        run = uuid.uuid4()
        begun = time.perf_counter()
        self.chunks(run, chunk, window)
        seconds = time.perf_counter() - begun
        self.redis.delete(*self.keys(run))
        return {"seconds": seconds, "count": self.samples.size}

    def log(self, count):
        """Lines one by one, each answered before the next."""
        key = f"run:{uuid.uuid4()}:logs"
        begun = time.perf_counter()
        for number in range(count):
            self.redis.rpush(key, f"t = {number} ms: integrators in range, ADC read")
        seconds = time.perf_counter() - begun
        self.redis.delete(key)
        return {"seconds": seconds, "count": count}

    def write_side(self, chunk):
        run = uuid.uuid4()
        states, logs, keys = f"run:{run}:states", f"run:{run}:logs", self.keys(run)
        begun = time.perf_counter()
        for state in self.states:
            self.redis.rpush(states, json.dumps([time.time(), state]))
        for line in self.lines:
            self.redis.rpush(logs, line)
        self.chunks(run, chunk, 1)
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.lrange(states, 0, -1)
        pipeline.lrange(logs, 0, -1)
        for key in keys:
            pipeline.get(key)
        found_states, found_logs, *measured = pipeline.execute()
        row = Run(
            id=str(run),
            status=self.states[-1],
            created_at=datetime.now(UTC).replace(tzinfo=None),
            channels=len(keys),
            input={"circuit": "x" * 2000},
            states=[json.loads(state) for state in found_states],
            logs=[line.decode() for line in found_logs],
            measurements=b"".join(measured),
        )
        with Session(self.engine) as session:
            session.add(row)
            session.commit()
        self.redis.delete(states, logs, *keys)
        return {"seconds": time.perf_counter() - begun, "run": str(run)}

    def read_back(self, run):
        """One run as arrays."""
        begun = time.perf_counter()
        with Session(self.engine) as session:
            row = session.get(Run, run)
            arrays = np.frombuffer(row.measurements, dtype="<f8").reshape(row.channels, -1)
            lines, states = len(row.logs), len(row.states)
        seconds = time.perf_counter() - begun
        if not np.array_equal(arrays, self.samples) or (lines, states) != (len(self.lines), len(self.states)):
            raise ValueError(f"run {run} is not as it was written")
        return {"seconds": seconds}

    def stored_bytes(self):
        """Bytes of the table with all that belongs to it; of SQLite, of the file."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
                size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            else:
                size = "SELECT pg_total_relation_size('plain_runs')"
            return {"bytes": connection.execute(text(size)).scalar_one()}


if __name__ == "__main__":
    serve(Peer)
