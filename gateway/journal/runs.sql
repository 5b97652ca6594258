-- From one row an event to one row a batch: the keys of events that follow each other stand together.
ALTER TABLE fresh ADD COLUMN step INTEGER NOT NULL DEFAULT 0;  -- 0: all keys are of event `seq`; 1: each of the next
