-- When a copy of the event last came.
ALTER TABLE seen ADD COLUMN again REAL;   -- unix seconds

-- What tells the state of an instance is found by its name, without a walk through its messages.
CREATE INDEX event_connection ON event (instance, seq) WHERE event = 'connection.update';
CREATE INDEX event_qrcode ON event (instance, seq) WHERE event = 'qrcode.updated';
