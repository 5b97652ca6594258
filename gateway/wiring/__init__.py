"""Bring a gateway and an Evolution together (`gateway connect`), and find out why they don't speak (`gateway doctor`).

Both look at the same things from the same places: this gateway from outside (`local`), Evolution through its REST API
(`peer`), and what the one receives of the other (`probe`, and the journal).
"""
