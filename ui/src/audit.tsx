/** The audit's page: weekly reports to download and to look into. */

import { render } from "preact";
import { AuditState } from "./audit/audit-state";
import { Failure } from "./audit/failure";
import { ChosenWeek } from "./audit/table";
import { Weeks } from "./audit/weeks";
import { startShell } from "./shared/shell";

function App({ audit }: { audit: AuditState }) {
  const reports = audit.reports.value;
  const chosen = audit.chosen.value;
  if (reports.state === "there" && chosen) {
    return (
      <main class="audit" id="content" tabIndex={-1}>
        <Weeks audit={audit} reports={reports.value} />
        <ChosenWeek audit={audit} report={chosen} />
      </main>
    );
  }
  return (
    <main class="audit alone" id="content" tabIndex={-1}>
      <h1 class="hush">Audit</h1>
      {reports.state === "loading" && <p class="loading">Loading the reports…</p>}
      {reports.state === "failed" && <Failure problem={reports.problem} onRetry={() => void audit.loadReports()} />}
      {reports.state === "there" && <NoReports />}
    </main>
  );
}

function NoReports() {
  return (
    <section class="empty">
      <h2>No sessions have ended yet</h2>
      <p>Each session is written down here when it ends, in one report a week.</p>
      <a class="button big" href="/">
        To the board
      </a>
    </section>
  );
}

startShell();
const audit = new AuditState();
void audit.loadReports();
const place = document.getElementById("app");
if (place) {
  place.replaceChildren();
  render(<App audit={audit} />, place);
}
