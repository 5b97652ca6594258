-- Keys that are not in `seen` yet, in the order they came: appended with their event, sorted in later, many at once.
CREATE TABLE fresh (
    id   INTEGER PRIMARY KEY,
    seq  INTEGER NOT NULL,
    at   REAL    NOT NULL,            -- unix seconds
    keys BLOB    NOT NULL             -- 16 bytes each
);

-- Copies of an event that came after it.
CREATE TABLE repeat (
    seq   INTEGER PRIMARY KEY,
    times INTEGER NOT NULL,
    last  REAL    NOT NULL            -- unix seconds
);

INSERT INTO repeat SELECT seq, sum(repeats), coalesce(max(again), max(at)) FROM seen WHERE repeats > 0 GROUP BY seq;

DROP INDEX seen_by_seq;
ALTER TABLE seen DROP COLUMN repeats;
ALTER TABLE seen DROP COLUMN again;
