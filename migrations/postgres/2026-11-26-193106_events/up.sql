-- oldest generation: 2
--
-- What happened to a run in the storages.

-- The last events of a run as one JSON array, which only those read who ask for it. It is no column of `runs`: it is
-- written after the archive as well, and a list never has to step over it.
CREATE TABLE run_events (
    run uuid NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    document json NOT NULL
);
