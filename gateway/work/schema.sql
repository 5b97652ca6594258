-- work.db, schema 1. The worker is its only writer.

-- How far each plugin has taken events up: every event up to `seq` that it subscribes to has a delivery.
CREATE TABLE position (
    plugin     TEXT PRIMARY KEY,
    generation TEXT    NOT NULL,          -- the journal the number belongs to
    seq        INTEGER NOT NULL
) WITHOUT ROWID;

-- One event on its way to one plugin.
CREATE TABLE delivery (
    id       INTEGER PRIMARY KEY,
    seq      INTEGER NOT NULL,            -- the event's number in the journal
    plugin   TEXT    NOT NULL,
    run      INTEGER NOT NULL DEFAULT 0,  -- 0: as it came; each replay is a new run
    lane     TEXT    NOT NULL,
    status   TEXT    NOT NULL,            -- waiting, running, done, skipped, dropped, dead
    alone    INTEGER NOT NULL DEFAULT 0,  -- while running: nothing else was
    failures INTEGER NOT NULL DEFAULT 0,  -- attempts that raised
    retries  INTEGER NOT NULL DEFAULT 0,  -- attempts whose handler asked for another
    deaths   INTEGER NOT NULL DEFAULT 0,  -- attempts during which the worker died, with nothing else running
    due      REAL    NOT NULL DEFAULT 0,  -- unix seconds before which it is not tried again
    started  REAL,                        -- unix seconds of the last attempt
    millis   REAL,                        -- the last attempt took
    handler  TEXT,                        -- the one that matched
    error    TEXT,                        -- traceback of the last failure, redacted
    control  INTEGER NOT NULL DEFAULT 0,  -- the replay or retry that last asked for it; 0: nobody did
    UNIQUE (seq, plugin, run)
);

CREATE INDEX delivery_open ON delivery (plugin, id) WHERE status IN ('waiting', 'running');
CREATE INDEX delivery_dead ON delivery (id) WHERE status = 'dead';
CREATE INDEX delivery_control ON delivery (control, status) WHERE control > 0;

-- What people asked for (see the journal), and how far it has come; committed with the deliveries it makes.
CREATE TABLE control (
    id      INTEGER PRIMARY KEY,          -- as in journal.db
    kind    TEXT    NOT NULL,             -- replay, retry, drop, pause, resume
    payload TEXT    NOT NULL,             -- JSON
    upto    INTEGER NOT NULL,             -- the highest event number it reaches
    status  TEXT    NOT NULL,             -- running, done, failed
    cursors TEXT    NOT NULL,             -- JSON: by plugin, the event it has come to
    found   INTEGER NOT NULL,             -- deliveries made, or dead letters changed
    began   REAL    NOT NULL,             -- unix seconds
    ended   REAL,
    error   TEXT
);

CREATE INDEX control_running ON control (id) WHERE status = 'running';

-- Messages that handlers queued. A row exists only with the delivery it belongs to.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    seq        INTEGER NOT NULL,
    plugin     TEXT    NOT NULL,
    run        INTEGER NOT NULL,
    n          INTEGER NOT NULL,          -- its place among what the handler queued, from 1
    instance   TEXT    NOT NULL,
    target     TEXT    NOT NULL,          -- jid or digits it goes to
    kind       TEXT    NOT NULL,          -- text
    payload    TEXT    NOT NULL,          -- JSON
    status     TEXT    NOT NULL,          -- queued, sending, sent, shown (no key: only said), dead
    attempts   INTEGER NOT NULL DEFAULT 0,
    due        REAL    NOT NULL DEFAULT 0,
    created    REAL    NOT NULL,          -- unix seconds
    finished   REAL,
    message_id TEXT,                      -- WhatsApp's id, from Evolution's answer
    error      TEXT,
    UNIQUE (seq, plugin, run, n)
);

CREATE INDEX outbox_open ON outbox (id) WHERE status IN ('queued', 'sending');

-- What plugins remember. An emptied mapping leaves its row, so that its revision never begins anew.
CREATE TABLE state (
    plugin   TEXT NOT NULL,
    instance TEXT NOT NULL,
    scope    TEXT NOT NULL,               -- chat:..., sender:..., key:... or instance
    value    BLOB,                        -- JSON object; null: empty
    revision INTEGER NOT NULL,
    PRIMARY KEY (plugin, instance, scope)
) WITHOUT ROWID;

-- Facts about the worker itself, for the page: which plugins are loaded, which files are broken.
CREATE TABLE fact (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL                   -- JSON
) WITHOUT ROWID;
