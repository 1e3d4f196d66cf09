-- oldest generation: 1
--
-- What runs are found by besides their columns, and how many were created.

-- One row for each label, and for each run that a run is related to (`related`, without a name, the id as text).
CREATE TABLE run_tags (
    kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    run uuid NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, name, value, created_at, run)
);

CREATE INDEX run_tags_by_run ON run_tags (run, kind);

INSERT INTO run_tags (kind, name, value, created_at, run)
SELECT 'label', label.key, label.value, runs.created_at, runs.id FROM runs, json_each_text(runs.labels) AS label;

INSERT INTO run_tags (kind, name, value, created_at, run)
SELECT DISTINCT 'related', '', related ->> 'run', runs.created_at, runs.id
FROM runs, json_array_elements(runs.head -> 'head' -> 'related_to') AS related;

-- Counted in the transaction that creates a run; deleting the run gives nothing back. `minute` is the beginning of one.
CREATE TABLE usage (
    owner text COLLATE "C" NOT NULL,
    device_type text COLLATE "C" NOT NULL,
    minute timestamptz NOT NULL,
    runs bigint NOT NULL,
    PRIMARY KEY (owner, device_type, minute)
);
