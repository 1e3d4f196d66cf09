-- oldest generation: 2
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

-- Documents may hold \u0000, which no function of the server can turn into text: in labels it becomes what free texts hold
-- for a NUL, with U+241B before a symbol that is itself meant; elsewhere, where no escape matters here, it is left out.
-- A backslash before it that is itself escaped is no part of it.
INSERT INTO run_tags (kind, name, value, created_at, run)
SELECT 'label', label.key, label.value, runs.created_at, runs.id
FROM runs, json_each_text(CAST(regexp_replace(
    replace(replace(CAST(runs.labels AS text), U&'\241b', U&'\241b\241b'), U&'\2400', U&'\241b\2400'),
    '(?<!\\)((?:\\\\)*)\\u0000', U&'\\1\2400', 'g') AS json)) AS label;

INSERT INTO run_tags (kind, name, value, created_at, run)
SELECT DISTINCT 'related', '', related ->> 'run', runs.created_at, runs.id
FROM runs, json_array_elements(CAST(regexp_replace(
    CAST(runs.head AS text), '(?<!\\)((?:\\\\)*)\\u[0-9a-fA-F]{4}', '\1', 'g') AS json) -> 'head' -> 'related_to') AS related
WHERE CAST(runs.head AS text) LIKE '%"related_to"%';

-- Counted in the transaction that creates a run; deleting the run gives nothing back. `minute` is the beginning of one.
CREATE TABLE usage (
    owner text COLLATE "C" NOT NULL,
    device_type text COLLATE "C" NOT NULL,
    minute timestamptz NOT NULL,
    runs bigint NOT NULL,
    PRIMARY KEY (owner, device_type, minute)
);
