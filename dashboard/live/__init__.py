"""Live: what changed, to whoever watches it. The only caller of the channel layer.

`publish` is called after a commit, from any thread. Each web process has one Hub: it keeps the newest row of
each thing that changed, encodes it once, and sends it to all who watch, ten times a second at most, to a run's page
five times. In one process (`LINESIDE_CHANNELS=memory`) rows go straight to its hub; between processes they travel over
the channel layer, which may drop messages: every publisher numbers its own, and a hub that misses one tells its
browsers to ask the API again. Hubs say what they watch, so that rows are made of that alone. Nothing is kept for those
who do not listen: tables are the truth, this is only the bell.
"""

from dashboard.live.publishing import mention, publish, wanted

__all__ = ["mention", "publish", "wanted"]
