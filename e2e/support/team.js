/** A team at its work, for pages that look as they do in use. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "./client.js";
import { reportOf } from "./reports.js";

export const PEOPLE = `alice
bob
carol;auditor
dave;admin
Maximiliane von Hohenberg-Sassen
`;

export const CONNECTIONS = `vpn main 1;vpn sub 1
vpn main 1;vpn sub 2
vpn main 1;vpn sub 3
Klinikum Ulm;PACS Nord
Klinikum Ulm;HIS Produktion
Klinikum Ulm;HIS Test
Klinikum Ulm;Labor;2
Klinikum Ulm;Apotheke
Klinikum Ulm;Leitstelle
Stadtwerke Jena;Leitsystem Strom
Stadtwerke Jena;Leitsystem Gas
Stadtwerke Jena;Fernwärme SCADA;2
Stadtwerke Jena;Zählerfernauslesung Nordost
Stadtwerke Jena;Verwaltung
Hafen Rostock;Zutritt
Hafen Rostock;Kransteuerung
Verkehrsverbund Oberlausitz-Niederschlesien;Fahrgastinformation Bahnhofsvorplatz
Verkehrsverbund Oberlausitz-Niederschlesien;Leitstelle;3
`;

/** Taken off the list while somebody is on it. */
const OFF_THE_LIST = "Hafen Rostock;Altsystem\n";

const LONG_NOTE = "A long note without a ticket that tells the whole story of this afternoon, and more";

const SESSIONS = [
  ["alice", "vpn main 1;vpn sub 1", "INC-48213 Certificate renewal"],
  ["bob", "vpn main 1;vpn sub 3", "CHG-1077 Patch window until noon"],
  ["carol", "Klinikum Ulm;PACS Nord", "INC-48190 Image transfer stalls"],
  ["dave", "Klinikum Ulm;HIS Produktion", "CHG-1069 Interface update"],
  ["alice", "Klinikum Ulm;Labor", "INC-48221 Analyser offline"],
  ["bob", "Klinikum Ulm;Apotheke", "INC-48207 Stock sync"],
  ["dave", "Stadtwerke Jena;Leitsystem Strom", "Night run"],
  ["carol", "Stadtwerke Jena;Fernwärme SCADA", "CHG-1081 Set points, two people"],
  ["dave", "Stadtwerke Jena;Fernwärme SCADA", ""],
  ["Maximiliane von Hohenberg-Sassen", "Stadtwerke Jena;Zählerfernauslesung Nordost", LONG_NOTE],
  ["alice", "Hafen Rostock;Zutritt", ""],
  ["carol", "Hafen Rostock;Altsystem", "Goes away"],
];

/** Everybody who is on something has a password; `open` is that of the world or of the pictures. */
export async function openTeam(open) {
  const passwords = [...new Set(SESSIONS.map(([user]) => user))];
  const world = await open({ access: "password", passwords, people: PEOPLE, connections: CONNECTIONS + OFF_THE_LIST });
  for (const user of passwords) await takeUp(world.server, user);
  await world.server.save("sessions.csv", CONNECTIONS);
  for (const [name, content] of Object.entries(weeks())) await writeFile(join(world.server.auditFolder, name), content);
  return world;
}

async function takeUp(server, user) {
  const client = new Client(server.url, { auth: { token: await server.token(user) } });
  try {
    await client.board();
    for (const [holder, connection, note] of SESSIONS) {
      if (holder === user) await client.check(connection, { note });
    }
  } finally {
    client.close();
  }
}

/** For how long somebody has been on something, in minutes, in the order of the list. */
const MINUTES = [90, 37, 122, 164, 11, 82, 267, 54, 51, 1830, 3, 410];

/** Lets the page believe that the sessions did not all begin just now. Before it opens its socket. */
export async function ageSessions(page) {
  const begun = new Map();
  const ageOf = ({ id, since }) => {
    if (!begun.has(id)) begun.set(id, begun.size < MINUTES.length ? MINUTES[begun.size] : 0);
    return new Date(Date.parse(since) - begun.get(id) * 60_000).toISOString();
  };
  const aged = (connection) => ({
    ...connection,
    sessions: connection.sessions.map((session) => ({ ...session, since: ageOf(session) })),
  });
  await page.routeWebSocket(/\/socket\.io\//, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => socket.send(agedFrame(frame, aged)));
  });
}

function agedFrame(frame, aged) {
  if (typeof frame !== "string" || !/^42\["(board|changes)"/.test(frame)) return frame;
  const [event, payload] = JSON.parse(frame.slice(2));
  return `42${JSON.stringify([event, { ...payload, connections: payload.connections.map(aged) }])}`;
}

/** Five weeks of work, always the same. */
function weeks() {
  const reports = {};
  for (const [week, monday, rows] of [[47, 16, 37], [46, 9, 210], [45, 2, 64]]) {
    reports[`audit-2026-W${week}.csv`] = reportOf(Array.from({ length: rows }, (_, at) => workedOn(at, rows, monday)));
  }
  return reports;
}

const LINES = CONNECTIONS.trim().split("\n").map((line) => line.split(";"));
const NOTES = ["INC-48102 Archive check", "CHG-1058 Set points", "", "INC-48110", '"CHG-1055 Interface update, second try"', "Night run"];
const HOLDERS = ["carol", "dave", "alice", "bob", "Maximiliane von Hohenberg-Sassen"];

function workedOn(at, rows, monday) {
  const [main, sub] = LINES[(at * 7) % LINES.length];
  const user = HOLDERS[(at * 3) % HOLDERS.length];
  const minutes = 12 + ((at * 37) % 300);
  const from = Date.UTC(2026, 10, monday, 6) + Math.floor((at * 6.4 * 1440) / rows) * 60_000;
  const [start, end] = [from, from + minutes * 60_000].map((time) => new Date(time).toISOString().replace(/\.\d+Z$/, "+00:00"));
  const ended = at % 11 === 3 ? "taken-over:bob" : at % 17 === 5 ? "admin:dave" : user;
  return [main, sub, user, start, end, minutes * 60, ended, NOTES[at % NOTES.length], `w${monday}-${at}`].join(",");
}
