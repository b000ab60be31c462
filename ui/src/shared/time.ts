/** Times for people. All take the moment that counts as "now" from outside. */

import { counted } from "./count";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const clockWithSeconds = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", hourCycle: "h23" });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short" });
const dayAndMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "short", hourCycle: "h23" });

/** `12 s`, `37 min`, `1 h 30 min`, `3 d 18 h`; never below zero. */
export function lasted(milliseconds: number): string {
  const span = Math.max(0, milliseconds);
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < HOUR) return `${Math.floor(span / MINUTE)} min`;
  if (span < DAY) return both(Math.floor(span / HOUR), "h", Math.floor((span % HOUR) / MINUTE), "min");
  return both(Math.floor(span / DAY), "d", Math.floor((span % DAY) / HOUR), "h");
}

/** In words and without seconds, as part of a sentence: `1 minute`, `6 minutes`, `2 hours`. */
export function roughly(milliseconds: number): string {
  if (milliseconds < MINUTE) return "less than a minute";
  if (milliseconds < HOUR) return counted(Math.floor(milliseconds / MINUTE), "minute");
  if (milliseconds < DAY) return counted(Math.floor(milliseconds / HOUR), "hour");
  return counted(Math.floor(milliseconds / DAY), "day");
}

/** `09:12` today, `Fri 16:30` within the last six days, `3 Nov 16:30` before. */
export function moment(at: number, now: number): string {
  const time = clock.format(at);
  if (dayAndMonth.format(at) === dayAndMonth.format(now) && Math.abs(now - at) < 2 * DAY) return time;
  if (at < now && now - at < 6 * DAY) return `${weekday.format(at)} ${time}`;
  return `${dayAndMonth.format(at)} ${time}`;
}

/** `09:12`. */
export function timeOfDay(at: number): string {
  return clock.format(at);
}

/** `09:12:08`. */
export function timeWithSeconds(at: number): string {
  return clockWithSeconds.format(at);
}

/** `Tuesday, 24 November 2026 at 09:12`. */
export function fullMoment(at: number): string {
  return full.format(at);
}

function both(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
