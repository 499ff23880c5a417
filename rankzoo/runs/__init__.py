"""Runs: the store that never loses one, the worker processes that train them, and the dispatcher between the two."""
