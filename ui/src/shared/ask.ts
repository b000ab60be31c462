/** Asks the server's API for something, and tells what went wrong in words for people. */

/** A failure, as the server tells it (RFC 9457) or as the way to it does. */
export class Refused extends Error {
  constructor(
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail ? `${title}: ${detail}` : title);
  }
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** The JSON of the answer; `undefined` where it has none. */
export async function ask(method: Method, path: string, body?: unknown): Promise<unknown> {
  const answer = await reach(method, path, body);
  if (answer.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  if (!answer.ok) throw await refusal(answer);
  return answer.status === 204 ? undefined : answer.json();
}

/** What went wrong, as a sentence; `null` where nothing did. */
export async function problemOf(request: Promise<unknown>): Promise<string | null> {
  try {
    await request;
    return null;
  } catch (error) {
    return sentence(error instanceof Refused ? error.detail || error.title : String(error));
  }
}

async function reach(method: Method, path: string, body: unknown): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  } catch {
    throw new Refused("The server cannot be reached", "Look at the network, and try again.");
  }
}

async function refusal(answer: Response): Promise<Refused> {
  const problem = (await answer.json().catch(() => ({}))) as { title?: string; detail?: string };
  return new Refused(problem.title ?? `The server answered ${answer.status}`, problem.detail ?? "");
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
