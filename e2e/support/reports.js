/** Weekly reports of the past, as they lie on a share. */

const HEADER = "main,sub,user,connected_at,disconnected_at,duration_s,ended_by,note,session_id";

/** A file as the server writes it, of rows in the order of their ends. */
export function reportOf(rows) {
  return `\uFEFF${[HEADER, ...rows].map((row) => `${row}\r\n`).join("")}`;
}

export const PAST_WEEKS = {
  "audit-2026-W44.csv": reportOf([
    '<b>x</b>,"""quoted"", comma",alice,2026-10-26T08:00:00+01:00,2026-10-26T08:00:12+01:00,12,admin:dave,,s-1',
    "vpn main 1,vpn sub 1,alice,2026-10-29T09:00:00+01:00,2026-10-29T10:30:00+01:00,5400,alice,'=SUM(1),s-2",
    "vpn main 1,vpn sub 2,bob,2026-10-31T23:50:00+01:00,2026-11-01T00:20:00+01:00,1800,taken-over:alice,INC-2,s-3",
  ]),
  "audit-2026-W43.csv": reportOf(Array.from({ length: 450 }, (_, at) => manyth(at))),
};

function manyth(at) {
  const day = 19 + Math.floor(at / 65);
  const minute = String(at % 60).padStart(2, "0");
  const [from, to] = [8 + Math.floor((at % 65) / 8), 9 + Math.floor((at % 65) / 8)].map((hour) => String(hour).padStart(2, "0"));
  const times = `2026-10-${day}T${from}:${minute}:00+02:00,2026-10-${day}T${to}:${minute}:00+02:00`;
  return `vpn main ${1 + (at % 3)},vpn sub 1,bob,${times},3600,bob,INC-${1000 + at},m-${at}`;
}
