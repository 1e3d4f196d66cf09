-- oldest generation: 1
--
-- Runs, their cells, and the registry of devices.
--
-- Everything lies in the schema `lucihub`, which stands first in the search path of whoever runs this.
--
-- Documents are `json`, not `jsonb`: byte for byte as they were checked. `jsonb` would change -0.0 and the order of
-- keys, and refuse \u0000. Free texts hold U+2400 where the original has a NUL, which `text` cannot hold.
-- Texts compare byte by byte ("C"), as they do in SQLite.

CREATE TABLE runs (
    id uuid NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL,
    job_type text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    state_count bigint NOT NULL,
    device text COLLATE "C",
    device_type text COLLATE "C",
    owner text COLLATE "C",
    channels bigint NOT NULL,
    archived_at timestamptz,
    released_at timestamptz,
    digest bytea CHECK (octet_length(digest) = 32),
    created_digest bytea NOT NULL CHECK (octet_length(created_digest) = 32),
    error text COLLATE "C",
    labels json NOT NULL,
    states json NOT NULL,
    positions json NOT NULL,
    head json NOT NULL,
    input json,
    output json,
    CHECK ((archived_at IS NULL) = (digest IS NULL)),
    CHECK (released_at IS NULL OR archived_at IS NOT NULL)
);

-- Pages walk one of these from any place on. A filter takes the first index in
-- this order that has its column in front: device, owner, state, job type,
-- device type. The columns after (created_at, id) are those that may be asked
-- for beside it.
--
-- The first is partial so that only walks which say so take it: along a column
-- with few values a planner would rather pass over rows in order of creation,
-- and the rarer the value, the more of them.
CREATE INDEX runs_by_creation ON runs (created_at, id) WHERE state_count >= 0;
CREATE INDEX runs_by_device ON runs (device, created_at, id, owner, state, job_type, device_type);
CREATE INDEX runs_by_owner ON runs (owner, created_at, id, state, job_type, device_type);
CREATE INDEX runs_by_state ON runs (state, created_at, id, job_type, device_type);
CREATE INDEX runs_by_job_type ON runs (job_type, created_at, id, device_type);
CREATE INDEX runs_by_device_type ON runs (device_type, created_at, id);

-- What keepers walk: small, however many runs there are.
CREATE INDEX runs_pending ON runs (created_at, id, state_count) WHERE released_at IS NULL;

CREATE TABLE run_logs (
    run uuid NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    cell bigint NOT NULL,
    first_index bigint NOT NULL,
    end_index bigint NOT NULL,
    codec bigint NOT NULL,
    payload_check bigint NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (run, cell)
);

CREATE TABLE run_samples (
    run uuid NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    channel bigint NOT NULL,
    cell bigint NOT NULL,
    first_index bigint NOT NULL,
    end_index bigint NOT NULL,
    value_count bigint NOT NULL,
    codec bigint NOT NULL,
    summary_check bigint NOT NULL,
    payload_check bigint NOT NULL,
    gaps bytea NOT NULL,
    summary bytea NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (run, channel, cell)
);

-- Payloads are compressed already: the server would try once more, and a window
-- needs its payload alone. Summaries stay in the row, where a plot reads many.
ALTER TABLE run_logs ALTER COLUMN payload SET STORAGE EXTERNAL;
ALTER TABLE run_samples ALTER COLUMN payload SET STORAGE EXTERNAL;
ALTER TABLE run_samples ALTER COLUMN summary SET STORAGE MAIN;

CREATE TABLE devices (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    device_type text COLLATE "C" NOT NULL,
    firmware text COLLATE "C",
    entity_digest text COLLATE "C",
    seen_at timestamptz,
    input_type text COLLATE "C",
    parameter_schema json,
    extra json NOT NULL DEFAULT '{}'
);
