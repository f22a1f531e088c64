// What every page starts: clocks, theme, keys, freshness, and the one socket (after the page's own module).

import { first } from "./api.js";
import { start as startClock } from "./clock.js";
import { start as startFresh } from "./fresh.js";
import { start as startKeys } from "./keys.js";
import { start as startLive } from "./live.js";
import { pictures } from "./picture.js";
import { start as startQuery } from "./query.js";
import { start as startTheme } from "./theme.js";
import { start as startViews } from "./views.js";

startTheme();
startKeys();
startQuery();
startViews();
startClock();
pictures();
if (document.documentElement.dataset.live) {
  startFresh(first("health"));
  // Module scripts run in order and before this event: by then every module has said what it watches.
  addEventListener("DOMContentLoaded", startLive);
}
