-- oldest generation: 2
--
-- What became of a COMMIT.

-- PostgreSQL keeps here the last transaction that each connection has committed. A COMMIT of SQLite answers in the same
-- process, so nothing is ever written here; both databases have the same tables.
CREATE TABLE commits (
    link BLOB NOT NULL PRIMARY KEY CHECK (length(link) = 16),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
