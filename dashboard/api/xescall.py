"""API call that gives a run as an XES file, for process mining."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from coordination.xes import xes
from dashboard.api.exporting import file_name
from dashboard.api.root import allowed, api
from dashboard.events import events_of_run
from dashboard.models import Run, Task
from dashboard.permissions import may_replay


@api.get("runs/{path:run_id}/xes", tags=["runs"], response=bytes)
@allowed(may_replay)
def run_as_xes(request: HttpRequest, run_id: str) -> HttpResponse:
    """The run as XES 1.0 (IEEE 1849-2016): one trace, an event for each record, without what records carry."""
    run = get_object_or_404(Run, run_id=run_id)
    types = dict(Task.objects.filter(run_id=run_id).values_list("task_id", "task_type"))
    content = "".join(xes(run_id, run.name or run_id, events_of_run(run_id), types))
    answer = HttpResponse(content.encode(), content_type="application/xml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{file_name(run_id)}.xes"'
    return answer
