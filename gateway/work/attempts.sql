-- Attempts that came to nothing. The one that ended a delivery well stands in the delivery's own row.
CREATE TABLE attempt (
    id       INTEGER PRIMARY KEY,
    delivery INTEGER NOT NULL,
    started  REAL,                        -- unix seconds
    millis   REAL,                        -- null: the worker died
    result   TEXT NOT NULL,               -- failed, stuck, retry, died
    handler  TEXT,
    error    TEXT                         -- as in delivery
);

CREATE INDEX attempt_by_delivery ON attempt (delivery);

-- The answer to a question (a dry run, an explanation), as JSON; it goes after an hour.
ALTER TABLE control ADD COLUMN result TEXT;

CREATE INDEX outbox_dead ON outbox (id) WHERE status = 'dead';
