-- From schema 1: what the outbox needs to find out whether a message left, and to tell its own messages from others'.

ALTER TABLE outbox ADD COLUMN server TEXT;                      -- Evolution it goes through; null: the configured one
ALTER TABLE outbox ADD COLUMN file TEXT;                        -- name in data/outgoing of the file it brings
ALTER TABLE outbox ADD COLUMN began REAL;                       -- unix seconds at which the last request left
ALTER TABLE outbox ADD COLUMN unsure INTEGER NOT NULL DEFAULT 0; -- dead, and nobody knows whether it left

CREATE INDEX outbox_message ON outbox (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX outbox_file ON outbox (file) WHERE file IS NOT NULL;
