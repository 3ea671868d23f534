"""The command line ``seawall``: a file for each command, loaded when it is the one that is run.

`commands` lists them; `main` chooses one, and turns what becomes of it into an exit code.
"""
