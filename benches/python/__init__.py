"""The benchmark of seawall's Python face against its peers: ``python -m benches.python --quick``.

``harness`` measures, ``figures`` are what it returns, ``bars`` are the limits that the project
has set itself, ``report`` and ``chart`` write them down. Each room that is measured has a folder
of its own, named like the room: `rooms.Room` says what it consists of. ``pipeline`` holds what
policies cost together.
"""
