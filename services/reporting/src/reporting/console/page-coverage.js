// Paid by account: per group and next lower unit, as the province publishes it.
import { addressWith } from "./shell.js";
import { bars, el, figures, money, number, percent, table } from "./parts.js";
import { say } from "./sign-in.js";
import { PROGRAMMES, words } from "./texts.js";

export const picks = ["month", "unit", "programme"];
export const lead = ["Bao nhiêu người được chi trả qua tài khoản, theo từng đơn vị.", "How many people are paid by account, unit by unit."];

export async function show(root, choice, { get, status, known }) {
  const report = await get("/v1/reports/coverage", { month: choice.month, unit_path: choice.unit });
  const programme = choice.programme || "ALL";
  const rows = report.rows.filter((row) => row.programme === programme);
  const total = rows.find((row) => row.is_total);
  if (!total || total.total_people === 0) {
    status(say("Chưa có số liệu của tháng này.", "No figures of this month yet."));
    return;
  }
  const units = rows.filter((row) => !row.is_total && row.unit_path !== choice.unit);
  root.append(figures([
    { name: say("Tỷ lệ qua tài khoản", "Paid by account"), value: percent(total.rate), kind: "good" },
    { name: say("Người qua tài khoản", "People by account"), value: number(total.paid_by_account_people) },
    { name: say("Tổng số người", "People in all"), value: number(total.total_people), hint: programme === "ALL" ? say(`${number(total.distinct_people)} người khác nhau`, `${number(total.distinct_people)} different people`) : null },
    { name: say("Tiền qua tài khoản", "Amount by account"), value: money(total.amount_paid_by_account) },
  ]));
  const heads = [
    { text: say("Đơn vị", "Unit") }, { text: say("Tổng số người", "People"), number: true },
    { text: say("Qua tài khoản", "By account"), number: true }, { text: say("Tỷ lệ", "Rate"), number: true },
    { text: say("Tiền qua tài khoản (đ)", "By account (đ)"), number: true }, { text: say("Tổng đã chi (đ)", "Paid in all (đ)"), number: true },
  ];
  const cells = (row, name) => [name, number(row.total_people), number(row.paid_by_account_people), percent(row.rate), number(row.amount_paid_by_account), number(row.amount_paid_total)];
  const open = new Set(known.children.map((unit) => unit.path));
  const named = (row) => (open.has(row.unit_path) ? el("a", { href: addressWith({ unit: row.unit_path }) }, row.unit_name ?? row.unit_code) : row.unit_name ?? row.unit_code);
  if (units.length) {
    const ranked = [...units].sort((a, b) => a.rate_percent - b.rate_percent || b.total_people - a.total_people);
    root.append(bars({
      label: say("Tỷ lệ qua tài khoản, thấp nhất trước", "Paid by account, lowest first"), max: 100,
      rows: ranked.slice(0, 15).map((row) => ({ label: row.unit_name ?? row.unit_code, value: row.rate_percent, text: percent(row.rate) })),
    }));
    if (ranked.length > 15) root.append(el("p", { class: "hint" }, say(`15 trong ${ranked.length} đơn vị; đủ trong bảng.`, `15 of ${ranked.length} units; all of them in the table.`)));
    root.append(table({
      caption: `${words(PROGRAMMES, programme)} – ${say("theo đơn vị", "by unit")}`, heads,
      rows: [...units.map((row) => ({ cells: cells(row, named(row)) })), { cells: cells(total, say("Tổng cộng", "Total")), total: true }],
    }));
  }
  const groups = report.rows.filter((row) => row.is_total);
  root.append(table({
    caption: say("Theo nhóm đối tượng", "By group"), heads: [{ text: say("Nhóm", "Group") }, ...heads.slice(1)],
    rows: groups.map((row) => ({ cells: cells(row, words(PROGRAMMES, row.programme)), total: row.programme === "ALL" })),
  }));
}
