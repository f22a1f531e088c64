"""The past of a run: its stored events folded up to a position, by the code that folds them live, so that every
picture can be drawn as of then.

`history` puts the stored events in order, `tables` are the rows of that moment in memory, `beside` is what they show
besides, `decided` what people had decided, `past` goes from place to place, `moment` is the door for pages and API.
"""

from dashboard.past.moment import Moment, as_of
from dashboard.past.past import Past, Place, TooLong, forget, past_of

__all__ = ["Moment", "Past", "Place", "TooLong", "as_of", "forget", "past_of"]
