"""The policies, one room each."""
