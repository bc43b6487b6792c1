"""Who did what: every change in the admin, every decision, every send, in one list."""
