// Targets: progress of the units, their ranking, milestones, and what is behind.
import { bars, dayText, el, number, percent, table } from "./parts.js";
import { say } from "./sign-in.js";

export const picks = ["month", "unit"];
export const lead = ["Chỉ tiêu giao cho từng đơn vị so với số đo được; mốc thời gian; việc chậm và sắp đến hạn.", "Targets of each unit against what is measured; milestones; what is late or due soon."];

const KINDS = {
  TARGET: ["Chỉ tiêu", "Target"], MILESTONE: ["Mốc", "Milestone"], OBSTACLE: ["Vướng mắc", "Obstacle"], CYCLE: ["Danh sách chi", "Payment list"],
  REPORT: ["Báo cáo", "Report"],
};

function today() {
  return new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Ho_Chi_Minh" }).format(new Date());
}

// The day asked about: today, or the last day of a month that lies behind (a training month, a look back).
function dayOf(month) {
  const [year, of] = month.split("-").map(Number);
  const last = new Date(Date.UTC(year, of, 0)).toISOString().slice(0, 10);
  return last < today() ? last : today();
}

function value(row, figure) {
  if (figure === null) return "–";
  return row.measured_in === "%" ? percent(figure) : number(Number(figure));
}

function daysText(days) {
  if (days === 0) return say("hôm nay", "today");
  return days < 0 ? say(`chậm ${number(-days)} ngày`, `${number(-days)} days late`) : say(`còn ${number(days)} ngày`, `in ${number(days)} days`);
}

function reminders(caption, rows) {
  const cells = (row) => [
    el("div", {}, el("strong", {}, say(row.vi, row.en)), el("div", { class: "hint" }, say(...KINDS[row.kind]))), row.unit_name ?? row.unit_path,
    el("div", {}, el("span", { class: `chip ${row.days_left < 0 ? "bad" : row.days_left <= 7 ? "warn" : ""}` }, daysText(row.days_left)), el("div", { class: "hint" }, dayText(row.due_on))),
  ];
  return table({
    caption,
    heads: [{ text: say("Việc", "What"), block: true }, { text: say("Đơn vị", "Unit") }, { text: say("Hạn", "Due") }], rows: rows.map((row) => ({ cells: cells(row) })),
  });
}

function progress(rows) {
  const reached = (row) => row.is_met === null ? el("span", { class: "chip" }, say("chưa đo được", "not measured"))
    : el("span", { class: `chip ${row.is_met ? "good" : row.late ? "bad" : "warn"}` }, row.is_met ? say("đạt", "met") : row.late ? say("chưa đạt, quá hạn", "not met, late") : say("chưa đạt", "not met"));
  const cells = (row) => [
    el("div", {}, el("strong", {}, row.unit_name ?? row.unit_path), el("div", { class: "hint" }, `${say(row.indicator_text.vi, row.indicator_text.en)} · ${say(row.programme_text.vi, row.programme_text.en)} · ${row.year}`)),
    value(row, row.value), value(row, row.measured), row.needed ? number(row.needed) : "–", reached(row),
    el("div", {}, dayText(row.due_on), row.legal_ref ? el("div", { class: "hint" }, row.legal_ref) : null),
  ];
  return table({
    caption: say("Tiến độ chỉ tiêu", "Progress"),
    heads: [
      { text: say("Đơn vị, chỉ tiêu", "Unit, target"), block: true }, { text: say("Phải đạt", "Target"), number: true }, { text: say("Đã đạt", "Measured"), number: true },
      { text: say("Còn thiếu", "Missing"), number: true }, { text: say("Kết quả", "Result") }, { text: say("Hạn", "Due") },
    ],
    rows: rows.map((row) => ({ cells: cells(row) })),
  });
}

function milestones(rows) {
  const cells = (row) => [
    el("div", {}, el("strong", {}, say(row.code_text.vi, row.code_text.en)), el("div", { class: "hint" }, row.unit_name ?? row.unit_path)),
    dayText(row.first_planned_on), row.planned_on === row.first_planned_on ? "–" : dayText(row.planned_on), row.actual_on ? dayText(row.actual_on) : el("span", { class: `chip ${row.late ? "bad" : ""}` }, say("chưa đạt", "not reached")),
    row.days_late ? say(`${number(row.days_late)} ngày`, `${number(row.days_late)} days`) : "–",
  ];
  return table({
    caption: say("Mốc kế hoạch và thực tế", "Milestones, planned and actual"),
    heads: [
      { text: say("Mốc", "Milestone"), block: true }, { text: say("Kế hoạch ban đầu", "First plan") }, { text: say("Lùi đến", "Postponed to") },
      { text: say("Thực tế", "Reached") }, { text: say("Chậm", "Late") },
    ],
    rows: rows.map((row) => ({ cells: cells(row) })),
  });
}

export async function show(root, choice, { get }) {
  const day = choice.day ?? dayOf(choice.month);
  const asked = { business_date: day, month: choice.month, unit_path: choice.unit };
  const year = choice.month.slice(0, 4);
  const [told, targets, before, ranking, plan] = await Promise.all([
    get("/v1/targets/reminders", asked), get("/v1/targets", { ...asked, year }), get("/v1/targets", { ...asked, year: Math.max(Number(year) - 1, 2020) }),
    get("/v1/targets/ranking", { ...asked, indicator: "by_account_rate" }),
    get("/v1/milestones", { business_date: day, unit_path: choice.unit, year }),
  ]);
  root.append(el("p", { class: "hint" }, say(`Tính đến ${dayText(day)}.`, `Up to ${dayText(day)}.`)));
  const [reports, works] = [true, false].map((wanted) => told.rows.filter((row) => (row.kind === "REPORT") === wanted));
  if (works.length) root.append(reminders(say("Chậm và sắp đến hạn", "Late, or due soon"), works));
  else root.append(el("p", { class: "empty" }, say("Không có việc chậm hay sắp đến hạn.", "Nothing is late or due soon.")));
  // A target may be due early in the year after its own (before Tết): it is shown until its month is over.
  const rows = [...before.rows.filter((row) => row.year < Number(year) && row.due_on >= `${choice.month}-01`), ...targets.rows];
  if (rows.length) root.append(progress(rows));
  else root.append(el("p", { class: "empty" }, say(`Chưa giao chỉ tiêu năm ${year} cho đơn vị này.`, `No targets of ${year} for this unit yet.`)));
  const ranked = ranking.rows;
  if (ranked.length > 1) {
    root.append(bars({
      label: say("Xếp hạng: tỷ lệ chi trả qua tài khoản", "Ranking: paid by account"), max: 100,
      rows: ranked.slice(0, 30).map((row) => ({ label: `${row.rank}. ${row.unit_name ?? row.unit_path}`, value: Number(row.measured), text: percent(row.measured), kind: row.is_met === null ? "" : row.is_met ? "good" : "warn" })),
    }));
    if (ranked.length > 30) root.append(el("p", { class: "hint" }, say(`30 trong ${ranked.length} đơn vị.`, `30 of ${ranked.length} units.`)));
  }
  if (plan.rows.length) root.append(milestones(plan.rows));
  if (reports.length) root.append(reminders(say("Báo cáo phải nộp", "Reports to hand over"), reports));
}
