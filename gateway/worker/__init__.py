"""The process that runs the plugins: strangers' code, so it may block, leak and die without an event being lost."""
