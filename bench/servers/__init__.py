"""What the gateway is measured against. Each is a program of its own: `python -m bench.servers.bare PORT`."""
