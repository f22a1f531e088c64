// Durations, instants and counts in words: the same words the server uses (18 m 41 s, 2 h 04 m, 0.4 s).

const pad = (n) => String(n).padStart(2, "0");

/** A duration in seconds as words; below ten seconds with one decimal unless `coarse`. */
export function duration(seconds, coarse = false) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "unknown";
  const sign = seconds < 0 ? "-" : "";
  const size = Math.abs(seconds);
  if (size < 10 && !coarse) return `${sign}${size.toFixed(1)} s`;
  const whole = Math.floor(size);
  if (whole < 60) return `${sign}${whole} s`;
  if (whole < 3600) return `${sign}${Math.floor(whole / 60)} m ${pad(whole % 60)} s`;
  if (whole < 86400) return `${sign}${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} m`;
  return `${sign}${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/** A countdown as a clock: 11:42, 1:04:09. */
export function clockface(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const rest = `${pad(Math.floor((whole % 3600) / 60))}:${pad(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** The time of day of an instant in the browser's zone; with the date if it was not on the day of `now`. */
export function timeOfDay(instant, now = new Date(), decimals = 0) {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return "";
  const fraction = decimals ? `.${String(date.getMilliseconds()).padStart(3, "0").slice(0, decimals)}` : "";
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}${fraction}`;
  if (date.toDateString() === now.toDateString()) return time;
  return `${dayOf(instant)} ${time}`;
}

/** The day of an instant in the browser's zone. */
export function dayOf(instant) {
  const date = new Date(instant);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** A count with thousands parted. */
export function count(n) {
  return Number(n).toLocaleString("en-GB");
}
