-- journal.db, schema 1. The receiver is its only writer.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

INSERT INTO meta VALUES ('generation', lower(hex(randomblob(16))));

-- One row an accepted event. The body comes last: a list of events then never reads the pages that hold a photo.
CREATE TABLE event (
    seq         INTEGER PRIMARY KEY,      -- the event's number; never used twice, never runs backwards
    accepted_at REAL    NOT NULL,         -- unix seconds
    event       TEXT    NOT NULL,         -- Evolution's name: messages.upsert
    instance    TEXT,
    chat        TEXT,                     -- jid without device
    lane        TEXT    NOT NULL,         -- decided once, here
    suffix      TEXT,                     -- last part of the URL as it came
    address     TEXT,                     -- who posted it
    millis      REAL    NOT NULL,         -- from the first byte of the request to the start of its commit
    size        INTEGER NOT NULL,         -- bytes of body
    checksum    INTEGER NOT NULL,         -- crc32 of seq, event, lane and body
    body        BLOB    NOT NULL
);

-- What was seen before, longer than the bodies live.
CREATE TABLE seen (
    key     BLOB PRIMARY KEY,             -- fingerprint of a body, or of what identifies a message
    seq     INTEGER NOT NULL,
    at      REAL    NOT NULL,             -- unix seconds of the first one
    repeats INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE INDEX seen_by_seq ON seen (seq);

-- Which LID belongs to which telephone, as events showed it. Decides lanes, and fills in phones an event leaves out.
CREATE TABLE lid (
    lid   TEXT PRIMARY KEY,               -- jid without device
    phone TEXT NOT NULL                   -- digits
) WITHOUT ROWID;

-- Posts answered 400: kept, cut, so that a person can see what came. The newest thousand.
CREATE TABLE refused (
    id      INTEGER PRIMARY KEY,
    at      REAL NOT NULL,
    address TEXT,
    path    TEXT NOT NULL,
    reason  TEXT NOT NULL,
    size    INTEGER NOT NULL,
    body    BLOB NOT NULL
);

-- What people asked of the worker: replay, retry, drop, pause, resume. It reads them before events.
CREATE TABLE control (
    id      INTEGER PRIMARY KEY,          -- never used twice, in any journal of this data folder
    at      REAL    NOT NULL,             -- unix seconds
    kind    TEXT    NOT NULL,
    upto    INTEGER NOT NULL,             -- the highest event number at that moment: a replay goes no further
    payload TEXT    NOT NULL              -- JSON
);
