/** The weekly reports, newest first. */

import { counted } from "../shared/count";
import type { AuditState } from "./audit-state";
import { daysOf, hashOf, sizeOf, type Report } from "./report";
import { downloadPath } from "./requests";

export function Weeks({ audit, reports }: { audit: AuditState; reports: readonly Report[] }) {
  return (
    <section class="weeks" id="weeks" aria-labelledby="weeks-head" tabIndex={-1}>
      <h2 id="weeks-head">Weekly reports</h2>
      <ul>
        {reports.map((report) => (
          <Week key={report.name} report={report} isChosen={report === audit.chosen.value} />
        ))}
      </ul>
    </section>
  );
}

function Week({ report, isChosen }: { report: Report; isChosen: boolean }) {
  const label = report.week || report.name;
  return (
    <li class={isChosen ? "chosen" : ""}>
      <div class="first">
        <a class="week" href={hashOf(label)} aria-current={isChosen ? "true" : undefined}>
          {label}
        </a>
        <span>{daysOf(report)}</span>
        <a class="get" href={downloadPath(report.name)} download={report.name}>
          CSV<span class="hush"> of {label}</span>
        </a>
      </div>
      <div class="second">
        <span class="number">
          {counted(report.rows, "row")} · {sizeOf(report.bytes)}
        </span>
        {report.modified === null && <span class="tag warn">not on the share yet</span>}
      </div>
    </li>
  );
}
