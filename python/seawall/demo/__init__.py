"""The demo: a shop whose payments and recommendations fall ill, without seawall and with it.

Real processes talk HTTP on this machine's loopback. `script` says what becomes of the services,
`load` what their users want and when; both are pure. `processes` starts everything and ends it,
`run` lives through it, `figures` says what it came to, `verdict` whether seawall helped, `report`
draws it. `order` is the service that is looked at, once as a usual team writes it (`order.naked`),
once with seawall (`order.protected`).

It needs what `pip install "seawall[demo]"` brings.
"""
