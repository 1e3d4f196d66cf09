-- oldest generation: 2
--
-- What became of a COMMIT.

-- The last transaction that each connection has committed, written by that transaction itself: whoever does not hear the
-- answer to a COMMIT finds the outcome here. The number of a transaction that the server gives may be given again after a
-- crash. Connections that ended a day ago are removed by those that come.
CREATE TABLE commits (
    link uuid NOT NULL PRIMARY KEY,
    number bigint NOT NULL,
    at timestamptz NOT NULL
);
