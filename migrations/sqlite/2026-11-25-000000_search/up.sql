-- oldest generation: 2
--
-- What runs are found by besides their columns, and how many were created.

-- One row for each label, and for each run that a run is related to (`related`, without a name, the id as text).
CREATE TABLE run_tags (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    run BLOB NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, name, value, created_at, run)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_tags_by_run ON run_tags (run, kind);

INSERT INTO run_tags (kind, name, value, created_at, run)
SELECT 'label', label.key, label.value, runs.created_at, runs.id FROM runs, json_each(runs.labels) AS label;

INSERT OR IGNORE INTO run_tags (kind, name, value, created_at, run)
SELECT 'related', '', related.value ->> 'run', runs.created_at, runs.id
FROM runs, json_each(runs.head, '$.head.related_to') AS related;

-- Counted in the transaction that creates a run; deleting the run gives nothing back. `minute` is the beginning of one.
CREATE TABLE usage (
    owner TEXT NOT NULL,
    device_type TEXT NOT NULL,
    minute INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    PRIMARY KEY (owner, device_type, minute)
) STRICT, WITHOUT ROWID;
