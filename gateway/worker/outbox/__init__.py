"""Send what handlers queued: in order within a chat, at a person's pace, and never twice.

`outbox` queues, `courier` takes one message to its end, `notes` writes how far it has come, `line` says when an
instance may send, `pace` how fast, `calls` turns a message into Evolution's call, `evidence` finds out whether one left
whose answer is missing.
"""
