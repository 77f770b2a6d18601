// Statutory reports of a unit: what is due and when, freezing, the files, handing over; beside them the published figures.
import { addressWith } from "./shell.js";
import { dayText, el, momentText, monthText, number, table } from "./parts.js";
import { currentUser, say } from "./sign-in.js";

export const picks = ["unit"];
export const lead = ["Báo cáo đơn vị phải nộp: hạn, cố định số liệu, tải tệp, ghi nhận đã nộp.", "Reports the unit hands over: due days, freezing, files, handing over."];

const MAKERS = ["COMMUNE_OFFICER", "DISTRICT_OFFICER", "DEPARTMENT_OFFICER"];
const STATES = {
  OPEN: ["chưa lập", "not made", ""], FROZEN: ["đã lập, chưa nộp", "made, not handed over", "warn"], LATE: ["trễ", "late", "bad"],
  HANDED_OVER: ["đã nộp", "handed over", "good"], HANDED_OVER_LATE: ["đã nộp, trễ", "handed over late", "warn"],
};
const SIZE = 20;

function today() {
  return new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Ho_Chi_Minh" }).format(new Date());
}

function button(text, action, main = false) {
  const made = el("button", { type: "button", class: main ? "main" : null }, text);
  made.addEventListener("click", async () => {
    made.disabled = true;
    try {
      await action();
    } finally {
      made.disabled = false;
    }
  });
  return made;
}

function files(reportId, addressees, { save, status }) {
  const get = (form, addressee) => async () => {
    try {
      await save(`/v1/papers/${reportId}/file`, { form, addressee });
    } catch (error) {
      status(error.message, true);
    }
  };
  // Named by whom it is written to: a district writes to a department, a commune below a district to that district, once.
  const written = addressees.map((one, place) => ({ place, to: one.to.at(-1), text: one.to.at(-1) === one.ministry.vi ? say(one.ministry.vi, one.ministry.en) : one.to.at(-1) }));
  const different = written.filter((one, place) => written.findIndex((other) => other.to === one.to) === place);
  const papers = different.length > 1 ? different.map((one) => button(`PDF – ${one.text}`, get("pdf", one.place))) : [button("PDF", get("pdf", 0))];
  return el("div", { class: "row" }, ...papers, button("XLSX", get("xlsx")), button("CSV", get("csv")));
}

// Works without HTTPS too, where randomUUID does not.
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (one) => one.toString(16).padStart(8, "0")).join("");
}

function handOver(reportId) {
  const query = new URLSearchParams({ service: "reporting", operation: "POST /v1/papers/{report_id}/handed-over", report_id: reportId });
  return el("a", { href: `/console/?${query}` }, say("Ghi nhận đã nộp", "Note as handed over"));
}

function calendar(found, choice, day, tools) {
  const may = currentUser()?.roles.some((role) => MAKERS.includes(role));
  // One key per button shown: pressed twice, or again after an answer that was lost, it is the same report. Made, the page is drawn anew.
  const freeze = (row, key) => async () => {
    const body = { layout: row.layout, period: row.period_first, unit_path: choice.unit, business_date: day };
    try {
      await tools.send("/v1/papers", { method: "POST", headers: { "Idempotency-Key": key }, body });
      tools.go({});
    } catch (error) {
      tools.status(error.message, true);
    }
  };
  const cells = (row) => {
    const [vi, en, kind] = STATES[row.state] ?? [row.state, row.state, ""];
    const late = row.days_late ? el("div", { class: "hint" }, say(`${number(row.days_late)} ngày`, `${number(row.days_late)} days`)) : null;
    const handed = row.handed_on ? el("div", { class: "hint" }, [dayText(row.handed_on), row.reference].filter(Boolean).join(" · ")) : null;
    const begun = row.period_first <= day.slice(0, 7) || row.layout.includes("estimate");
    const acts = [];
    if (row.report_id && !row.handed_on && may) acts.push(handOver(row.report_id));
    if (may && begun && !row.handed_on) acts.push(button(row.report_id ? say("Lập lại", "Make again") : say("Lập báo cáo", "Make the report"), freeze(row, newKey()), !row.report_id));
    return [
      el("div", {}, el("strong", {}, say(row.title.vi, row.title.en)), el("div", { class: "hint" }, say(row.who_text.vi, row.who_text.en))), say(row.period.vi, row.period.en),
      `${row.before ? say("trước ", "before ") : ""}${dayText(row.due_on)}`, el("div", {}, el("span", { class: `chip ${kind}` }, say(vi, en)), late, handed),
      acts.length ? el("div", { class: "row" }, ...acts) : "–",
    ];
  };
  return table({
    caption: say(`Lịch báo cáo, tính đến ${dayText(day)}`, `Calendar of reports, on ${dayText(day)}`),
    heads: [
      { text: say("Báo cáo", "Report"), block: true }, { text: say("Kỳ", "Period") }, { text: say("Hạn", "Due") }, { text: say("Tình trạng", "State") },
      { text: say("Việc", "To do"), block: true },
    ],
    rows: found.map((row) => ({ cells: cells(row) })),
  });
}

function frozen(page, tools) {
  const cells = (one) => [
    el("div", {}, el("strong", {}, say(one.title.vi, one.title.en)), el("div", { class: "hint" }, `${say(one.period.vi, one.period.en)} · ${one.unit_name}`)),
    el("div", {}, say(`lần ${number(one.edition)}`, `edition ${number(one.edition)}`), el("div", { class: "hint" }, momentText(one.frozen_at))),
    one.handed_over.length ? el("div", {}, ...one.handed_over.map((done) => el("div", {}, `${dayText(done.handed_on)} · ${done.reference}`))) : "–",
    files(one.report_id, one.addressees, tools),
  ];
  return table({
    caption: say("Báo cáo đã lập: số liệu cố định, tải lại lúc nào cũng như nhau", "Reports made: their figures are frozen, the same whenever taken"),
    heads: [
      { text: say("Báo cáo", "Report"), block: true }, { text: say("Lập", "Made") }, { text: say("Đã nộp", "Handed over") }, { text: say("Tệp", "Files"), block: true },
    ],
    rows: page.items.map((one) => ({ cells: cells(one) })),
  });
}

export async function show(root, choice, tools) {
  const day = choice.day ?? today();
  const [due, page, published] = await Promise.all([
    tools.get("/v1/papers/calendar", { on: day, unit_path: choice.unit }), tools.get("/v1/papers", { cursor: choice.cursor, limit: SIZE }),
    tools.get("/v1/public/months", { limit: 12 }),
  ]);
  const input = el("input", { type: "date", id: "report-day", value: day });
  input.addEventListener("change", () => tools.go({ day: input.value }));
  root.append(el("form", { class: "card", onsubmit: (event) => event.preventDefault() }, el("label", {}, el("span", {}, say("Ngày lập", "Day of the report")), input)));
  if (due.rows.length) root.append(calendar(due.rows, choice, day, tools));
  else root.append(el("p", { class: "empty" }, say("Đơn vị này chưa có báo cáo nào đến hạn.", "No report of this unit is due.")));
  if (page.items.length) root.append(frozen(page, tools));
  if (page.next_cursor) root.append(el("p", {}, el("a", { class: "button", href: addressWith({ cursor: page.next_cursor }) }, say("Trang sau", "Next page"))));
  const months = published.items.map((one) => el("li", {}, el("a", { href: `/pages/public/${one.unit_path}/${one.month}` }, `${one.unit_name} – ${monthText(one.month)}`)));
  root.append(el("h2", {}, say("Số liệu công khai", "Public figures")), months.length ? el("ul", { class: "plain" }, ...months) : el("p", { class: "hint" }, say("Chưa công bố tháng nào.", "No month is published yet.")));
}
