/** What the audit page asks the server for. */

import type { Report, ReportTable } from "./report";

/** A failure in words for people, as the server tells them (RFC 9457) or as the way to it does. */
export class RequestFailed extends Error {
  constructor(
    readonly title: string,
    readonly detail: string,
  ) {
    super(title);
  }
}

export async function fetchReports(): Promise<readonly Report[]> {
  const answer = (await fetchJson("/api/v1/audit/reports")) as { reports: Report[] };
  return answer.reports;
}

export async function fetchTable(name: string, signal: AbortSignal): Promise<ReportTable> {
  return (await fetchJson(`${downloadPath(name)}?format=json`, signal)) as ReportTable;
}

export function downloadPath(name: string): string {
  return `/api/v1/audit/reports/${encodeURIComponent(name)}`;
}

async function fetchJson(path: string, signal?: AbortSignal): Promise<unknown> {
  const answer = await reach(path, signal);
  if (answer.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.hash)}`);
  if (!answer.ok) throw await failureOf(answer);
  return answer.json();
}

async function reach(path: string, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(path, { headers: { accept: "application/json" }, ...(signal && { signal }) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RequestFailed("The server cannot be reached", "Look at the network, and try again.");
  }
}

async function failureOf(answer: Response): Promise<RequestFailed> {
  const problem = (await answer.json().catch(() => ({}))) as { title?: string; detail?: string };
  return new RequestFailed(problem.title ?? `The server answered ${answer.status}`, problem.detail ?? "");
}
