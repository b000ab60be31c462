/** The chosen week as a table. */

import { counted, digits } from "../shared/count";
import { Icon } from "../shared/icon";
import { Who } from "../shared/who";
import { PAGE_ROWS, type AuditState } from "./audit-state";
import { isOurs, titleOf, type Report, type ReportRow, type ReportTable, type SessionRow } from "./report";
import { downloadPath } from "./requests";
import { Failure } from "./failure";

export function ChosenWeek({ audit, report }: { audit: AuditState; report: Report }) {
  return (
    <div class="chosen-week">
      <div class="head">
        <h1>{titleOf(report)}</h1>
        <a class="button jump" href="#weeks" onClick={toWeeks}>
          All weeks
        </a>
        <a class="button get" href={downloadPath(report.name)} download={report.name}>
          <Icon name="download" />
          CSV
        </a>
      </div>
      <TableOrWhyNot audit={audit} report={report} />
    </div>
  );
}

/** The hash names the week, so the jump is made by hand. */
function toWeeks(event: Event): void {
  event.preventDefault();
  document.getElementById("weeks")?.focus();
}

function TableOrWhyNot({ audit, report }: { audit: AuditState; report: Report }) {
  const table = audit.table.value;
  if (table.state === "loading") return <p class="loading">Loading the report…</p>;
  if (table.state === "failed") return <Failure problem={table.problem} onRetry={() => void audit.loadTable(report.name)} />;
  return (
    <>
      <label class="field table-search">
        <span>Search in this week</span>
        <input
          type="search"
          autocomplete="off"
          spellcheck={false}
          value={audit.search}
          onInput={(event) => (audit.search.value = event.currentTarget.value)}
        />
      </label>
      <Found audit={audit} />
      {audit.pageRows.value.length > 0 && <Log audit={audit} table={table.value} />}
      <Pages audit={audit} />
    </>
  );
}

function Found({ audit }: { audit: AuditState }) {
  const all = audit.rows.value.length;
  const count = audit.found.value.length;
  const rows = counted(all, "row");
  const text = count === all ? `${rows}, newest first` : `${digits(count)} of ${rows} found`;
  return (
    <p class="found number" role="status">
      {text}
    </p>
  );
}

function Log({ audit, table }: { audit: AuditState; table: ReportTable }) {
  const isSessions = isOurs(table);
  const heads = isSessions ? SESSION_HEADS : table.columns;
  return (
    <div class="log-frame" role="region" aria-label="Table of the report" tabIndex={0}>
      <table class={isSessions ? "log" : "log plain-log"} role="table">
        <caption class="hush">{table.name}, newest rows first</caption>
        <thead role="rowgroup">
          <tr role="row">
            {heads.map((text) => (
              <th key={text} role="columnheader" scope="col" class={isSessions && text === "Duration" ? "right" : ""}>
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {audit.pageRows.value.map((row) => (
            <LogRow key={row.key} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const SESSION_HEADS = ["Main", "Sub", "User", "Connected", "Disconnected", "Duration", "Ended by", "Note"] as const;

function LogRow({ row }: { row: ReportRow }) {
  if (row.kind === "session") return <SessionCells row={row} />;
  return (
    <tr role="row">
      {row.cells.map((cell, at) => (
        <td key={at} role="cell">
          {cell}
        </td>
      ))}
    </tr>
  );
}

function SessionCells({ row }: { row: SessionRow }) {
  return (
    <tr role="row">
      <td role="cell" class="mainname" title={row.main}>{row.main}</td>
      <td role="cell" class="subname" title={row.sub}>{row.sub}</td>
      <td role="cell" class="by" title={row.user}><Who user={row.user} /></td>
      <td role="cell" class="when number" title={row.connected.whole}>{row.connected.text}</td>
      <td role="cell" class="when number" title={row.disconnected.whole}>{row.disconnected.text}</td>
      <td role="cell" class="right long number" title={row.duration.whole}>{row.duration.text}</td>
      <td role="cell" class={row.ended.isUsual ? "ends usual" : "ends"}>
        {row.ended.isUsual ? row.ended.text : <span class="tag warn">{row.ended.text}</span>}
      </td>
      <td role="cell" class="noted" title={row.note}>{row.note}</td>
    </tr>
  );
}

function Pages({ audit }: { audit: AuditState }) {
  const count = audit.found.value.length;
  const last = Math.max(0, Math.ceil(count / PAGE_ROWS) - 1);
  if (last === 0) return null;
  const page = audit.page.value;
  const to = (wanted: number) => {
    audit.page.value = Math.min(Math.max(wanted, 0), last);
    document.querySelector(".head")?.scrollIntoView();
  };
  const first = page * PAGE_ROWS + 1;
  return (
    <nav class="pages" aria-label="Pages of the table">
      <button type="button" aria-disabled={page === 0} onClick={() => to(0)}>Newest</button>
      <button type="button" aria-disabled={page === 0} onClick={() => to(page - 1)}>Newer</button>
      <span class="number" role="status">
        {digits(first)}–{digits(Math.min(first + PAGE_ROWS - 1, count))} of {digits(count)}
      </span>
      <button type="button" aria-disabled={page === last} onClick={() => to(page + 1)}>Older</button>
      <button type="button" aria-disabled={page === last} onClick={() => to(last)}>Oldest</button>
    </nav>
  );
}
