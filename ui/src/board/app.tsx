/** The board, put together. */

import { GroupList } from "./group-list";
import { useBoard } from "./context";
import { Dialogs } from "./dialogs";
import { timeOfDay } from "../shared/time";
import { Mine } from "./mine";
import { Banner, EmptyList, Findings, NothingFound, StatusLine } from "./status";
import { Tools } from "./tools";

export function App() {
  return (
    <>
      <Banner />
      <main class="board" id="content" tabIndex={-1}>
        <h1 class="hush">Board</h1>
        <Findings />
        <Content />
      </main>
      <StatusLine />
      <Dialogs />
    </>
  );
}

function Content() {
  const { roster } = useBoard();
  if (!roster.isKnown.value) return <p class="loading">Loading the board…</p>;
  if (roster.rows.value.length === 0) return <EmptyList />;
  return (
    <>
      <Mine />
      <Tools />
      {roster.hasRowsInSight.value && <Columns />}
      <GroupList />
      {roster.shownCount.value === 0 && <NothingFound />}
    </>
  );
}

function Columns() {
  const { isLive, link } = useBoard();
  const heardAt = link.state.value.heardAt;
  return (
    <div class="columns" aria-hidden="true">
      <span>Connection</span>
      <span>{isLive.value ? "On it" : `On it at ${timeOfDay(heardAt)}`}</span>
      <span>{isLive.value ? "For" : "Since"}</span>
      <span>Note</span>
    </div>
  );
}
