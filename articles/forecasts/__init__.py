"""Forecast notes: what an article says in short, and what may come of it, by a fixed form."""
