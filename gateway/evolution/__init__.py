"""Evolution's REST API, as far as the gateway speaks it."""

from gateway.evolution.client import Evolution, EvolutionError, EvolutionUnreachable, EvolutionUnsure

__all__ = ["Evolution", "EvolutionError", "EvolutionUnreachable", "EvolutionUnsure"]
