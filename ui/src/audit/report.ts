/** Weekly reports, shaped for people. The rows of a file keep the times that it states, in its own zone. */

import { hasWords } from "../shared/search";

export interface Report {
  readonly name: string;
  readonly week: string;
  /** Its first and last day, `2026-11-23`. */
  readonly from: string;
  readonly to: string;
  readonly rows: number;
  readonly bytes: number;
  /** RFC 3339; `null` while the file is not on the share. */
  readonly modified: string | null;
}

export interface ReportTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The columns of our own reports, in their order. */
const COLUMNS = "main,sub,user,connected_at,disconnected_at,duration_s,ended_by,note,session_id";

export interface SessionRow {
  readonly kind: "session";
  readonly key: string;
  readonly main: string;
  readonly sub: string;
  readonly user: string;
  readonly connected: Shown;
  readonly disconnected: Shown;
  readonly duration: Shown;
  readonly ended: { readonly text: string; readonly isUsual: boolean };
  readonly note: string;
}

export interface PlainRow {
  readonly kind: "plain";
  readonly key: string;
  readonly cells: readonly string[];
}

/** A short text, and the whole of what it stands for. */
export interface Shown {
  readonly text: string;
  readonly whole: string;
}

export type ReportRow = SessionRow | PlainRow;

/** Whether a file has our own columns; others are shown as they are. */
export function isOurs(table: ReportTable): boolean {
  return table.columns.join(",") === COLUMNS;
}

/** The rows of a report, newest first: a file is written in the order of the ends. */
export function rowsOf(table: ReportTable): ReportRow[] {
  const shape = isOurs(table) ? sessionRow : plainRow;
  return table.rows.map((cells, at) => shape(cells.map(unguarded), at)).reverse();
}

/** Those rows that have all the words; `texts` are the rows' own, ready to be searched. */
export function found<Row>(rows: readonly Row[], texts: readonly string[], words: readonly string[]): readonly Row[] {
  if (words.length === 0) return rows;
  return rows.filter((_, at) => hasWords(texts[at] ?? "", words));
}

/** What a search may find in a row. */
export function textOf(row: ReportRow): string {
  if (row.kind === "plain") return row.cells.join("\n");
  return [`${row.main} ${row.sub}`, row.user, row.connected.whole, row.disconnected.whole, row.ended.text, row.note].join("\n");
}

/** `Week 47, 16–22 November 2026`. */
export function titleOf(report: Report): string {
  const week = /^(\d+)-W0?(\d+)$/.exec(report.week);
  return week ? `Week ${week[2]}, ${daysOf(report, "long")} ${report.to.slice(0, 4)}` : report.name;
}

/** `16–22 Nov`, `26 Oct – 1 Nov`. */
export function daysOf({ from, to }: Report, month: "short" | "long" = "short"): string {
  const format = new Intl.DateTimeFormat("en-GB", { day: "numeric", month, timeZone: "UTC" });
  const [start, end] = [dayOf(from), dayOf(to)];
  if (!start || !end) return `${from} – ${to}`;
  if (start.getUTCMonth() === end.getUTCMonth()) return `${start.getUTCDate()}–${format.format(end)}`;
  return `${format.format(start)} – ${format.format(end)}`;
}

/** `5.8 kB`, as file managers count. */
export function sizeOf(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** `1:45`, `0:38`; `38 s` below a minute. */
export function durationOf(seconds: string): string {
  if (!/^\d+$/.test(seconds)) return seconds;
  const whole = Number(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 3600)}:${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")}`;
}

/** Who or what ended a session of `user`, in words. */
export function endedBy(cell: string, user: string): SessionRow["ended"] {
  if (cell.startsWith("taken-over:")) return { text: `taken over by ${cell.slice("taken-over:".length)}`, isUsual: false };
  if (cell.startsWith("admin:")) return { text: `admin ${cell.slice("admin:".length)}`, isUsual: false };
  return { text: cell, isUsual: cell === user };
}

/** The hash of the page that chooses a week, or a file. */
export function hashOf(name: string): string {
  return `#${encodeURIComponent(name)}`;
}

/** Whose link a hash of the page is: a week, or the name of a file. */
export function reportFor(hash: string, reports: readonly Report[]): Report | undefined {
  const isNamed = (name: string) => hash === hashOf(name);
  return reports.find((report) => isNamed(report.name)) ?? reports.find((report) => isNamed(report.week));
}

function sessionRow(cells: readonly string[], at: number): SessionRow {
  const [main = "", sub = "", user = "", connected = "", disconnected = "", duration = "", ended = "", note = ""] = cells;
  return {
    kind: "session",
    key: String(at),
    main,
    sub,
    user,
    connected: { text: wallTime(connected), whole: connected },
    disconnected: { text: wallTime(disconnected, connected), whole: disconnected },
    duration: { text: durationOf(duration), whole: `${duration} s` },
    ended: endedBy(ended, user),
    note,
  };
}

function plainRow(cells: readonly string[], at: number): PlainRow {
  return { kind: "plain", key: String(at), cells };
}

/** `Fri 20 15:02` from an RFC 3339 text, without the day where it is that of `after`. */
function wallTime(text: string, after = ""): string {
  const parts = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})/.exec(text);
  const day = parts && dayOf(parts[1] ?? "");
  if (!parts || !day) return text;
  if (after.startsWith(`${parts[1]}T`)) return parts[2] ?? "";
  const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone: "UTC" }).format(day);
  return `${weekday} ${day.getUTCDate()} ${parts[2]}`;
}

function dayOf(text: string): Date | null {
  const day = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(day.getTime()) ? null : day;
}

/** Takes off the mark that keeps spreadsheets from calculating a cell. */
function unguarded(cell: string): string {
  return /^'[=+\-@\t\r\0]/.test(cell) ? cell.slice(1) : cell;
}
