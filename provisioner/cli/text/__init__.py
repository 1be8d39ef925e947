"""Texts and JSON objects: pure functions from values to lines or dicts. Nothing in here prints, reads a file that is
not its subject, or knows click beyond its colours."""
