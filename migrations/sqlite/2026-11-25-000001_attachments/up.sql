-- oldest generation: 2
--
-- Named bytes on runs and devices.

-- One row per upload. `subject` is `run ID` or `device NAME`, and `run` or `device` says the same to the database, so
-- that attachments go with what they hang on. `sweep_at` is NULL while the upload is the attachment of that name: before
-- it is whole, and after it was replaced or deleted, nobody sees it, and from then on anybody may sweep it.
CREATE TABLE attachments (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    subject TEXT NOT NULL,
    run BLOB REFERENCES runs (id) ON DELETE CASCADE,
    device TEXT REFERENCES devices (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER,
    digest BLOB CHECK (length(digest) = 32),
    created_at INTEGER,
    sweep_at INTEGER,
    CHECK ((run IS NULL) <> (device IS NULL)),
    CHECK (sweep_at IS NOT NULL OR (size IS NOT NULL AND digest IS NOT NULL AND created_at IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX attachments_by_name ON attachments (subject, name) WHERE sweep_at IS NULL;
CREATE INDEX attachments_of_runs ON attachments (run) WHERE run IS NOT NULL;
CREATE INDEX attachments_of_devices ON attachments (device) WHERE device IS NOT NULL;
CREATE INDEX attachments_to_sweep ON attachments (sweep_at) WHERE sweep_at IS NOT NULL;

CREATE TABLE attachment_chunks (
    attachment BLOB NOT NULL REFERENCES attachments (id) ON DELETE CASCADE,
    chunk INTEGER NOT NULL,
    payload_check INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (attachment, chunk)
) STRICT;
