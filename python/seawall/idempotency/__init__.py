"""An operation takes effect once: its key, what it is told from others by, and what it answers."""
