"""The two listeners: webhooks come in on one, people look in on the other."""
