-- oldest generation: 2
--
-- Named bytes on runs and devices.

-- One row per upload. `subject` is `run ID` or `device NAME`, and `run` or `device` says the same to the database, so
-- that attachments go with what they hang on. `sweep_at` is NULL while the upload is the attachment of that name: before
-- it is whole, and after it was replaced or deleted, nobody sees it, and from then on anybody may sweep it.
CREATE TABLE attachments (
    id uuid NOT NULL PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    run uuid REFERENCES runs (id) ON DELETE CASCADE,
    device text COLLATE "C" REFERENCES devices (id) ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL,
    media_type text COLLATE "C" NOT NULL,
    size bigint,
    digest bytea CHECK (octet_length(digest) = 32),
    created_at timestamptz,
    sweep_at timestamptz,
    CHECK ((run IS NULL) <> (device IS NULL)),
    CHECK (sweep_at IS NOT NULL OR (size IS NOT NULL AND digest IS NOT NULL AND created_at IS NOT NULL))
);

CREATE UNIQUE INDEX attachments_by_name ON attachments (subject, name) WHERE sweep_at IS NULL;
CREATE INDEX attachments_of_runs ON attachments (run) WHERE run IS NOT NULL;
CREATE INDEX attachments_of_devices ON attachments (device) WHERE device IS NOT NULL;
CREATE INDEX attachments_to_sweep ON attachments (sweep_at) WHERE sweep_at IS NOT NULL;

CREATE TABLE attachment_chunks (
    attachment uuid NOT NULL REFERENCES attachments (id) ON DELETE CASCADE,
    chunk bigint NOT NULL,
    payload_check bigint NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (attachment, chunk)
);

-- Anything may be in there, often compressed already.
ALTER TABLE attachment_chunks ALTER COLUMN payload SET STORAGE EXTERNAL;
