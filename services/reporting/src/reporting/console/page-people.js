// Nobody left behind: each person due, how it stands, whose turn it is, how many days.
import { addressWith } from "./shell.js";
import { dayText, el, money, number, table } from "./parts.js";
import { say } from "./sign-in.js";
import { PROGRAMMES, ROLES, STATE_KINDS, STATES, words } from "./texts.js";

export const picks = ["month", "unit", "programme"];
export const lead = ["Từng người được hưởng: tình trạng, đến lượt ai xử lý, đã chờ bao nhiêu ngày.", "Each person due: the state, whose turn it is, how many days."];

const DAYS = [3, 7, 15, 30, 60];
const SIZE = 50;

function filters(choice, go) {
  const select = (name, label, options, value) => {
    const control = el("select", { id: `filter-${name}` }, ...options.map(([key, text]) => el("option", { value: key }, text)));
    control.value = value;
    control.addEventListener("change", () => go({ [name]: control.value, cursor: "", ...(name === "state" ? { reason: "" } : {}) }));
    return el("label", {}, el("span", {}, label), control);
  };
  const states = [["", say("Chưa nhận được tiền", "Not paid yet")], ["ALL", say("Tất cả", "Everybody")], ...Object.keys(STATES).map((key) => [key, words(STATES, key)])];
  const turns = [["", say("Bất kỳ ai", "Anybody")], ...Object.keys(ROLES).filter((key) => !["AUDITOR", "INTEGRATOR"].includes(key)).map((key) => [key, words(ROLES, key)])];
  const days = [["", say("Bất kỳ", "Any")], ...DAYS.map((count) => [String(count), say(`Từ ${count} ngày`, `${count} days or more`)])];
  return el("form", { class: "card", "aria-label": say("Lọc danh sách", "Filter"), onsubmit: (event) => event.preventDefault() },
    select("state", say("Tình trạng", "State"), states, choice.state ?? ""),
    select("turn", say("Đến lượt", "Whose turn"), turns, choice.turn ?? ""),
    select("days", say("Đã chờ", "Waiting"), days, choice.days ?? ""));
}

function line(row) {
  const state = el("span", { class: `chip ${STATE_KINDS[row.state] ?? ""}` }, say(row.state_text.vi, row.state_text.en));
  const reason = row.reason_text ? el("div", { class: "hint" }, say(row.reason_text.vi, row.reason_text.en)) : null;
  const later = row.paid_in ? el("div", { class: "hint" }, say(`Đã trả trong kỳ ${row.paid_in}`, `Paid with the list of ${row.paid_in}`)) : null;
  const ended = row.nothing_due ? el("div", { class: "hint" }, say("Không còn khoản nào được hưởng cho tháng này", "Nothing is due for this month any more")) : null;
  const statement = el("a", { href: addressWith({ person: row.beneficiary_id }, "/pages/statement") }, say("Bản kê", "Statement"));
  const name = el("div", {}, el("strong", {}, row.full_name ?? "–"), el("div", { class: "hint" }, [row.file_code, row.unit_name].filter(Boolean).join(" · ")), statement);
  const turn = row.turn_text ? el("div", {}, "→ ", say(row.turn_text.vi, row.turn_text.en), row.act_text ? el("div", { class: "hint" }, say(row.act_text.vi, row.act_text.en)) : null) : "–";
  const days = row.days_waiting === null ? "–" : el("div", {}, say(`${number(row.days_waiting)} ngày`, `${number(row.days_waiting)} days`), el("div", { class: "hint day" }, say(`từ ${dayText(row.since)}`, `since ${dayText(row.since)}`)));
  return { cells: [name, words(PROGRAMMES, row.programme), el("div", {}, state, reason, later, ended), turn, days, money(row.amount)] };
}

export async function show(root, choice, { get, go, status }) {
  const asked = { month: choice.month, unit_path: choice.unit, programme: choice.programme, turn: choice.turn, reason: choice.reason, min_days: choice.days, cursor: choice.cursor, limit: SIZE };
  if (!choice.state) asked.waiting = "true";
  else if (choice.state !== "ALL") asked.state = choice.state;
  let page = await get("/v1/reports/nobody-left-behind", asked);
  const rows = [...page.rows];
  // A narrow filter may leave a page nearly empty: a few more are asked for before the officer has to.
  for (let more = 0; more < 5 && rows.length < SIZE / 2 && page.next_cursor; more += 1) {
    page = await get("/v1/reports/nobody-left-behind", { ...asked, cursor: page.next_cursor });
    rows.push(...page.rows);
  }
  root.append(filters(choice, go));
  if (choice.reason) root.append(el("p", { class: "row" }, el("span", { class: "chip" }, say("Một lý do", "One reason"), ": ", rows[0]?.reason_text ? say(rows[0].reason_text.vi, rows[0].reason_text.en) : choice.reason), el("a", { href: addressWith({ reason: "", cursor: "" }) }, say("Bỏ lọc lý do", "All reasons"))));
  if (!rows.length && !page.next_cursor) {
    root.append(el("p", { class: "empty" }, choice.state || choice.turn || choice.days ? say("Không có ai như vậy.", "Nobody like that.") : say("Không còn ai phải chờ: mọi người đã nhận tiền.", "Nobody waits: everybody has the money.")));
    return;
  }
  root.append(table({
    caption: say(`${number(rows.length)} người${page.next_cursor ? " trên trang này" : ""}, tính đến ${dayText(page.business_date)}`, `${number(rows.length)} people${page.next_cursor ? " on this page" : ""}, up to ${dayText(page.business_date)}`),
    heads: [
      { text: say("Người hưởng", "Person") }, { text: say("Nhóm", "Group"), block: true }, { text: say("Tình trạng", "State"), block: true },
      { text: say("Đến lượt", "Whose turn"), block: true }, { text: say("Đã chờ", "Waiting") }, { text: say("Số tiền", "Amount"), number: true },
    ],
    rows: rows.map(line),
  }));
  const first = choice.cursor ? el("a", { class: "button", href: addressWith({ cursor: "" }) }, say("Về trang đầu", "First page")) : null;
  const next = page.next_cursor ? el("a", { class: "button", id: "next", href: addressWith({ cursor: page.next_cursor }) }, say("Trang sau", "Next page")) : null;
  root.append(el("nav", { class: "row", "aria-label": say("Trang", "Pages") }, first, next));
  status("");
}
