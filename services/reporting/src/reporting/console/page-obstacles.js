// Obstacles: counts by level and age, the register, and how long each has waited.
import { addressWith } from "./shell.js";
import { dayText, el, figures, number, table } from "./parts.js";
import { say } from "./sign-in.js";

export const picks = ["unit"];
export const lead = ["Khó khăn, vướng mắc của đơn vị và cấp dưới: chờ cấp nào trả lời, đã bao nhiêu ngày.", "Obstacles of a unit and all below: who has to answer, and for how long it has waited."];

const STATES = [["", "Chưa xong", "Not closed"], ["OPEN", "Chờ trả lời", "Waiting for an answer"], ["ANSWERED", "Đã trả lời", "Answered"], ["CLOSED", "Đã xong", "Closed"]];
const SIZE = 50;

function today() {
  return new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Ho_Chi_Minh" }).format(new Date());
}

function consoleLink(row) {
  const [method, path] = row.state === "ANSWERED" ? ["POST", "/v1/obstacles/{obstacle_id}/closing"] : ["POST", "/v1/obstacles/{obstacle_id}/answer"];
  const query = new URLSearchParams({ service: "reporting", operation: `${method} ${path}`, obstacle_id: row.obstacle_id });
  return el("a", { href: `/console/?${query}` }, row.state === "ANSWERED" ? say("Xác nhận", "Confirm") : say("Trả lời", "Answer"));
}

function line(row) {
  const title = el("div", {}, el("strong", {}, row.title), el("div", { class: "hint" }, [say(row.category_text.vi, row.category_text.en), row.unit_name ?? row.unit_path].join(" · ")), el("div", { class: "hint" }, row.detail),
    row.answer ? el("div", { class: "hint" }, `${say("Trả lời", "Answer")}: ${row.answer}${row.answer_document ? ` (${row.answer_document})` : ""}`) : null);
  const turn = row.state === "CLOSED" ? say("đã xong", "closed") : row.state === "ANSWERED" ? say("đơn vị xác nhận", "the unit's word") : say(row.level_text.vi, row.level_text.en);
  const days = el("div", {}, say(`${number(row.days_open)} ngày`, `${number(row.days_open)} days`), el("div", { class: "hint" }, say(`từ ${dayText(row.raised_on)}`, `since ${dayText(row.raised_on)}`)));
  const due = row.state === "OPEN" ? el("div", {}, el("span", { class: `chip ${row.overdue ? "bad" : ""}` }, row.overdue ? say("quá hạn", "late") : say("còn hạn", "in time")), el("div", { class: "hint" }, dayText(row.due_on))) : "–";
  return { cells: [title, turn, days, due, row.people === null ? "–" : number(row.people), row.state === "CLOSED" ? "–" : consoleLink(row)] };
}

export async function show(root, choice, { get, go }) {
  const day = choice.day ?? today();
  const asked = { business_date: day, unit_path: choice.unit };
  const living = (row) => row.state !== "CLOSED";
  const from = (cursor) => get("/v1/obstacles", { ...asked, state: choice.state, cursor, limit: SIZE });
  const [summary, first] = await Promise.all([get("/v1/obstacles/summary", asked), from(choice.cursor)]);
  let page = first;
  while (!choice.state && page.next_cursor && !page.items.some(living)) page = await from(page.next_cursor); // the oldest are closed ones
  const sum = (name, wanted = () => true) => summary.rows.filter(wanted).reduce((total, row) => total + row[name], 0);
  root.append(figures([
    { name: say("Chờ trả lời", "Waiting"), value: number(sum("obstacles", (row) => row.state === "OPEN")) },
    { name: say("Quá hạn trả lời", "Late"), value: number(sum("overdue")), kind: sum("overdue") ? "bad" : "good" },
    { name: say("Trên 30 ngày", "Over 30 days"), value: number(sum("days_90", living) + sum("days_more", living)), kind: sum("days_90", living) + sum("days_more", living) ? "warn" : "good" },
    { name: say("Người bị ảnh hưởng", "People touched"), value: number(sum("people", living)) },
  ]));
  const control = el("select", { id: "filter-state" }, ...STATES.map(([key, vi, en]) => el("option", { value: key }, say(vi, en))));
  control.value = choice.state ?? "";
  control.addEventListener("change", () => go({ state: control.value, cursor: "" }));
  root.append(el("form", { class: "card", onsubmit: (event) => event.preventDefault() }, el("label", {}, el("span", {}, say("Trạng thái", "State")), control),
    el("a", { href: `/console/?${new URLSearchParams({ service: "reporting", operation: "POST /v1/obstacles" })}` }, say("Nêu vướng mắc mới", "Raise a new one"))));
  const rows = choice.state ? page.items : page.items.filter(living);
  if (rows.length) {
    root.append(table({
      caption: say(`Sổ vướng mắc, cũ nhất trước, tính đến ${dayText(day)}`, `Register, oldest first, up to ${dayText(day)}`),
      heads: [
        { text: say("Vướng mắc", "Obstacle"), block: true }, { text: say("Đến lượt", "Whose turn") }, { text: say("Đã chờ", "Waiting") },
        { text: say("Hạn trả lời", "Due") }, { text: say("Số người", "People"), number: true }, { text: say("Mở", "Open") },
      ],
      rows: rows.map(line),
    }));
  } else root.append(el("p", { class: "empty" }, choice.state ? say("Không có vướng mắc nào ở trạng thái này.", "No obstacle in this state.") : say("Không có vướng mắc nào chưa xong.", "No obstacle is open.")));
  if (page.next_cursor) root.append(el("p", {}, el("a", { href: addressWith({ cursor: page.next_cursor }) }, say("Trang sau", "Next page"))));
}
