"""The envelope: CloudEvents 1.0 over a log, read and written.

`Event` is a decoded record, `decode` reads one (`Decoder` where topics or headers have other names), `encode` and
`new_event` write one, `from_http` takes events from a web request.
"""

from coordination.decoding import Decoder, decode
from coordination.encoding import encode, new_event
from coordination.event import Event
from coordination.httpbinding import from_http

__all__ = ["Decoder", "Event", "decode", "encode", "from_http", "new_event"]
