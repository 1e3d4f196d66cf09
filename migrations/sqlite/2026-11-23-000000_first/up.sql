-- oldest generation: 1
--
-- Runs, their cells, and the registry of devices.
--
-- Times are microseconds since 1970-01-01T00:00:00Z, ids of runs the 16 bytes
-- of a UUID. In every table large columns stand last: a row is read from its
-- start, and what follows the last wanted column stays on its pages.

CREATE TABLE runs (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    created_at INTEGER NOT NULL,
    job_type TEXT NOT NULL,
    state TEXT NOT NULL,
    state_count INTEGER NOT NULL,
    device TEXT,
    device_type TEXT,
    owner TEXT,
    channels INTEGER NOT NULL,
    archived_at INTEGER,
    released_at INTEGER,
    digest BLOB CHECK (length(digest) = 32),
    created_digest BLOB NOT NULL CHECK (length(created_digest) = 32),
    error TEXT,
    labels TEXT NOT NULL,
    states TEXT NOT NULL,
    positions TEXT NOT NULL,
    head TEXT NOT NULL,
    input TEXT,
    output TEXT,
    CHECK ((archived_at IS NULL) = (digest IS NULL)),
    CHECK (released_at IS NULL OR archived_at IS NOT NULL)
) STRICT;

-- Pages walk one of these from any place on. A filter takes the first index in
-- this order that has its column in front: device, owner, state, job type,
-- device type. The columns after (created_at, id) are those that may be asked
-- for beside it, so that rows which do not match are passed over in the index.
CREATE INDEX runs_by_creation ON runs (created_at, id);
CREATE INDEX runs_by_device ON runs (device, created_at, id, owner, state, job_type, device_type);
CREATE INDEX runs_by_owner ON runs (owner, created_at, id, state, job_type, device_type);
CREATE INDEX runs_by_state ON runs (state, created_at, id, job_type, device_type);
CREATE INDEX runs_by_job_type ON runs (job_type, created_at, id, device_type);
CREATE INDEX runs_by_device_type ON runs (device_type, created_at, id);

-- What keepers walk: small, however many runs there are.
CREATE INDEX runs_pending ON runs (created_at, id, state_count) WHERE released_at IS NULL;

-- Tables of cells have a rowid: WITHOUT ROWID their large rows fill the inner
-- pages of the tree, and 400 narrow reads took 200 ms instead of 50.
CREATE TABLE run_logs (
    run BLOB NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    cell INTEGER NOT NULL,
    first_index INTEGER NOT NULL,
    end_index INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    payload_check INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (run, cell)
) STRICT;

CREATE TABLE run_samples (
    run BLOB NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    channel INTEGER NOT NULL,
    cell INTEGER NOT NULL,
    first_index INTEGER NOT NULL,
    end_index INTEGER NOT NULL,
    value_count INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    summary_check INTEGER NOT NULL,
    payload_check INTEGER NOT NULL,
    gaps BLOB NOT NULL,
    summary BLOB NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (run, channel, cell)
) STRICT;

CREATE TABLE devices (
    id TEXT NOT NULL PRIMARY KEY,
    device_type TEXT NOT NULL,
    firmware TEXT,
    entity_digest TEXT,
    seen_at INTEGER,
    input_type TEXT,
    parameter_schema TEXT,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT;
