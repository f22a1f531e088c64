"""System checks: what `manage.py check` finds wrong with the settings, each with an id and what to do.

Problems met while the settings were read are passed on; the others need Django to be there. None of them asks the
database, the log or the channel layer: that is `manage.py doctor`.
"""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Doubt

from coordination.errors import CoordinationError
from coordination.kafkalog import parse_address
from dashboard.manifest import manifest

NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


@register("lineside")
def settings_were_readable(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What `dashboard.environment` met."""
    problems: Sequence[Any] = settings.LINESIDE_PROBLEMS
    return [Error(problem.message, hint=problem.hint, id=problem.id) for problem in problems]


@register("lineside")
def log_address_makes_sense(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A Kafka address with options nobody knows would fail at the first use, hours later."""
    if urlsplit(settings.LINESIDE_LOG).scheme != "kafka":
        return []
    try:
        parse_address(settings.LINESIDE_LOG)
    except CoordinationError as error:
        hint = "Write kafka://host:9092,host2:9092 and options as in the README."
        return [Error(f"LINESIDE_LOG cannot be used. {error}", hint=hint, id="lineside.E010")]
    return []


@register("lineside")
def topic_mapping_makes_sense(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """`LINESIDE_TOPICS` names a file that can be read and understood."""
    try:
        manifest()
    except (CoordinationError, OSError) as error:
        hint = "The file has the tables [topics], [headers] and [schemas]; see coordination/topicmapping.py."
        return [Error(f"LINESIDE_TOPICS cannot be used. {error}", hint=hint, id="lineside.E011")]
    return []


@register("lineside")
def channels_make_sense(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """`memory`, or the address of a Redis."""
    address = settings.LINESIDE_CHANNELS
    if address == "memory" or urlsplit(address).scheme in ("redis", "rediss", "unix"):
        return []
    hint = "Use memory (one process), or redis://host:6379/0."
    return [Error(f"LINESIDE_CHANNELS cannot be used: {address!r}.", hint=hint, id="lineside.E012")]


@register("lineside")
def names_fit_into_topics(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Namespace and tenant become parts of topic names and attributes."""
    found: list[CheckMessage] = []
    for number, name in ((13, "NAMESPACE"), (14, "TENANT")):
        value = getattr(settings, f"LINESIDE_{name}")
        if not NAME.fullmatch(value):
            hint = "Use up to 64 of a to z, 0 to 9, hyphens and dots, beginning with a letter or digit."
            found.append(Error(f"LINESIDE_{name} cannot be used: {value!r}.", hint=hint, id=f"lineside.E{number:03}"))
    return found


@register("lineside", deploy=True)
def shapes_fit_together(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Beyond one machine the embedded stores do not reach: they are files and memory of one host."""
    found: list[CheckMessage] = []
    if settings.LINESIDE_LOCAL:
        return found
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        hint = "Set LINESIDE_DATABASE_URL to a PostgreSQL if web processes or workers run on several machines."
        found.append(Doubt("The database is a file of this machine.", hint=hint, id="lineside.W001"))
    if settings.LINESIDE_CHANNELS == "memory":
        hint = "Set LINESIDE_CHANNELS to a Redis, or pages will not hear what other processes wrote."
        found.append(Doubt("Live updates reach this process only.", hint=hint, id="lineside.W002"))
    return found
