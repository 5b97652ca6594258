-- Keys that were sorted in at about the same time stand together: the next ones are spread over no more pages than a
-- few hundred thousand fill, however many the file holds.
CREATE TABLE sorted (
    run INTEGER NOT NULL,                 -- counts up; how large one grows is the gateway's choice
    key BLOB    NOT NULL,                 -- fingerprint of a body, or of what identifies a message
    seq INTEGER NOT NULL,
    at  REAL    NOT NULL,                 -- unix seconds of the first one; of a key that stands in two runs the later counts
    PRIMARY KEY (run, key)
) WITHOUT ROWID;

INSERT INTO sorted SELECT 1, key, seq, at FROM seen ORDER BY key;

DROP TABLE seen;
