"""The service that is looked at: a small shop, as a usual team writes it, and with seawall.

`app` is the same for both. `naked` and `protected` are the two ways in which it calls payments and
recommendations; to read one after the other is to see what seawall changes.
"""
