"""Runs and their states in tables of their own, and a search with its total.

Shaped as hubs for such devices do it with SQLAlchemy: a run has a row for each state that it came to, and is in the
state of the newest one; a window function in a subquery says which that is. A search counts the runs that match, then
reads a page of them, newest first, with all their states. Indexed is what such a program indexes: primary keys, the
foreign key, the user. `serve.py` says how it is asked for a turn.
"""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from serve import serve
from sqlalchemy import ForeignKey, String, create_engine, distinct, func, insert, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

BEGUN = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
STEP = timedelta(milliseconds=1)
ROWS_AT_ONCE = 5_000


class Base(DeclarativeBase):
    pass


class Run(Base):
    __tablename__ = "runs"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    job_type: Mapped[str] = mapped_column(String(32))
    user: Mapped[str] = mapped_column(String(128), index=True)
    device: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime]
    error: Mapped[str | None]
    states: Mapped[list["RunState"]] = relationship(order_by="RunState.id")


class RunState(Base):
    __tablename__ = "run_states"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"), index=True)
    state: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]


class Lists:
    def __init__(self, database):
        self.engine = create_engine(database)
        Base.metadata.create_all(self.engine)

    def fill(self, runs, owners, states):
        """So many runs, all of which came to these states; owners take turns."""
        with self.engine.begin() as connection:
            for first in range(0, runs, ROWS_AT_ONCE):
                numbers = range(first, min(first + ROWS_AT_ONCE, runs))
                some = [
                    {
                        "id": uuid4(),
                        "job_type": "run",
                        "user": f"owner-{number % owners}",
                        "device": "device-1",
                        "created_at": BEGUN + number * STEP,
                    }
                    for number in numbers
                ]
                reached = [
                    {"run_id": run["id"], "state": state, "at": run["created_at"] + later * STEP}
                    for run in some
                    for later, state in enumerate(states)
                ]
                connection.execute(insert(Run), some)
                connection.execute(insert(RunState), reached)
        # What a server does by itself in time.
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE" if self.engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))
        return {}

    def search(self, user, state, limit):
        """A page of the newest, and how many there are in all."""
        newest = func.row_number().over(partition_by=RunState.run_id, order_by=RunState.id.desc())
        latest = select(RunState.run_id, RunState.state, newest.label("nth")).subquery()

        def matching(statement):
            joined = statement.join(latest, (latest.c.run_id == Run.id) & (latest.c.nth == 1))
            return joined.where(Run.user == user, latest.c.state == state)

        begun = time.perf_counter()
        with Session(self.engine) as session:
            total = session.execute(matching(select(func.count(distinct(Run.id))))).scalar_one()
            page = matching(select(Run)).order_by(Run.created_at.desc(), Run.id.desc()).limit(limit)
            runs = session.scalars(page.options(selectinload(Run.states))).all()
            shown = [(run.id, run.user, run.created_at, run.states[-1].state) for run in runs]
        return {"seconds": time.perf_counter() - begun, "total": total, "shown": len(shown)}


if __name__ == "__main__":
    serve(Lists)
