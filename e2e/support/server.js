/** A real server on a free loopback port, with folders of its own that go when it goes. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, run } from "./program.js";
import { eventually, inTime } from "./wait.js";

export const CONNECTIONS = `vpn main 1;vpn sub 1
vpn main 1;vpn sub 2
vpn main 1;vpn sub 3
vpn main 2;vpn sub 1
vpn main 2;vpn sub 2
vpn main 3;jump host;2
`;

export const PEOPLE = `alice
bob
carol;auditor
dave;admin
`;

/** How often a port may be taken by others between being found free and being used. */
const TRIES = 3;
const STOPS_WITHIN_MS = 5000;

export class Server {
  #child;
  #environment;

  /**
   * @param access how people sign in: `open` or `password`
   * @param passwords for whom a password is made
   * @param settings lines of vpn-sessions.toml
   */
  static async start({ access = "open", passwords = [], settings = "", connections = CONNECTIONS, people = PEOPLE } = {}) {
    const server = new Server();
    try {
      await server.#prepare(access, { "sessions.csv": connections, "users.txt": people, "vpn-sessions.toml": settings });
      for (const name of passwords) await server.#makePassword(name);
      await server.#startSomewhere();
    } catch (error) {
      await server.end();
      throw error;
    }
    return server;
  }

  /** Passwords by name; the service user always has one. */
  passwords = new Map();

  get url() {
    return `http://${this.#environment.LISTEN}`;
  }

  get auditFolder() {
    return join(this.folder, "audit");
  }

  /** Starts it again, on the same port and folders. */
  async start() {
    const child = launch(["serve"], { environment: this.#environment });
    this.#child = child;
    await eventually(async () => {
      if (child.exitCode !== null) return;
      const answer = await fetch(`${this.url}/healthz`);
      if (!answer.ok) throw new Error(`/healthz answers ${answer.status}`);
    });
    if (child.exitCode !== null) throw new Error(`the server ended: ${child.said}`);
  }

  async stop() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    try {
      await inTime(child.ended, "the end of the server", STOPS_WITHIN_MS);
    } catch (tooLate) {
      child.kill("SIGKILL");
      await child.ended;
      throw tooLate;
    }
  }

  /** Ends it at once, as a power cut would. */
  async cut() {
    this.#child.kill("SIGKILL");
    await this.#child.ended;
  }

  /** It is there, and says nothing. */
  freeze() {
    this.#child.kill("SIGSTOP");
  }

  thaw() {
    this.#child.kill("SIGCONT");
  }

  /** Another server on the same folders, at an address of its own; to be stopped by whoever asks for it. */
  async beside() {
    const other = new Server();
    other.folder = this.folder;
    other.passwords = this.passwords;
    other.#environment = { ...this.#environment, LISTEN: `127.0.0.1:${await freePort()}` };
    await other.start();
    return other;
  }

  /** Stops it for good and removes its folders. */
  async end() {
    try {
      await this.stop();
    } finally {
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  /** Saves a file of the configuration in one step. */
  async save(name, content) {
    const path = join(this.folder, "config", name);
    await writeFile(`${path}.part`, content);
    await rename(`${path}.part`, path);
  }

  /** An access token, as programs get it. */
  async token(name) {
    const credentials = Buffer.from(`${name}:${this.passwords.get(name)}`).toString("base64");
    const headers = { authorization: `Basic ${credentials}` };
    const answer = await fetch(`${this.url}/api/loginUser`, { method: "POST", headers });
    if (!answer.ok) throw new Error(`/api/loginUser answers ${answer.status}`);
    return (await answer.json()).token;
  }

  /** The weekly reports on the share, by name. */
  async reports() {
    const names = (await readdir(this.auditFolder)).filter((name) => name.endsWith(".csv")).sort();
    const contents = await Promise.all(names.map((name) => readFile(join(this.auditFolder, name))));
    return new Map(names.map((name, at) => [name, contents[at]]));
  }

  /** The share goes away; a file stands where its folder was. */
  async losesShare() {
    await rename(this.auditFolder, `${this.auditFolder}-away`);
    await writeFile(this.auditFolder, "");
  }

  async #prepare(access, files) {
    this.folder = await mkdtemp(join(tmpdir(), "vpn-sessions-e2e-"));
    for (const part of ["config", "data", "audit"]) await mkdir(join(this.folder, part));
    for (const [name, content] of Object.entries(files)) await this.save(name, content);
    this.passwords.set("promon", secret());
    this.#environment = {
      PATH: process.env.PATH,
      CONFIG_DIR: join(this.folder, "config"),
      DATA_DIR: join(this.folder, "data"),
      AUDIT_DIR: this.auditFolder,
      BOARD_ACCESS: access,
      SECRET_KEY: secret(),
      HC_USER: "promon",
      HC_PW: this.passwords.get("promon"),
      TIMEZONE: "Europe/Berlin",
      LOG_FORMAT: "text",
    };
  }

  async #makePassword(name) {
    this.passwords.set(name, secret());
    const input = `${this.passwords.get(name)}\n`;
    await run(["user", "set-password", name], { environment: this.#environment, input });
  }

  async #startSomewhere() {
    for (let tries = 1; ; tries += 1) {
      this.#environment.LISTEN = `127.0.0.1:${await freePort()}`;
      try {
        return await this.start();
      } catch (error) {
        if (tries === TRIES) throw error;
      }
    }
  }
}

function secret() {
  return randomBytes(32).toString("base64url");
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
