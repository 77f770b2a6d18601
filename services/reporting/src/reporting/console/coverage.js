// The coverage table: one table per programme, a row per unit below the chosen one, totals last.
import { currentLanguage, currentToken, onChange, problemText, say } from "./sign-in.js";

const choice = document.getElementById("choice");
const state = document.getElementById("state");
const tables = document.getElementById("tables");
let report = null;

const PROGRAMMES = {
  MERIT: ["Người có công", "People with merit"],
  SOCIAL_ASSISTANCE: ["Bảo trợ xã hội", "Social assistance"],
  SOCIAL_PENSION: ["Trợ cấp hưu trí xã hội", "Social pension"],
  CAMPAIGN: ["Chi một lần", "One-off campaign"],
  ALL: ["Tất cả", "All"],
};
const HEADS = [
  ["Đơn vị", "Unit"], ["Tổng số người", "People"], ["Qua tài khoản", "By account"], ["Tỷ lệ %", "Rate %"],
  ["Số tiền qua tài khoản (đ)", "Amount by account (đ)"], ["Tổng đã chi (đ)", "Paid in all (đ)"],
];

function cell(row, tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  row.append(element);
}

function numbers(value) {
  return new Intl.NumberFormat(currentLanguage() === "vi" ? "vi-VN" : "en-GB").format(value);
}

function table(programme, rows) {
  const element = document.createElement("table");
  element.createCaption().textContent = say(...(PROGRAMMES[programme] ?? [programme, programme]));
  const head = element.createTHead().insertRow();
  for (const [vi, en] of HEADS) cell(head, "th", say(vi, en));
  const body = element.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    line.classList.toggle("total", row.is_total);
    const name = row.is_total ? say("Tổng cộng", "Total") : row.unit_name ?? row.unit_code;
    cell(line, "td", row.is_total && row.unit_name ? `${name} – ${row.unit_name}` : name);
    cell(line, "td", numbers(row.total_people));
    cell(line, "td", numbers(row.paid_by_account_people));
    cell(line, "td", currentLanguage() === "vi" ? row.rate.replace(".", ",") : row.rate);
    cell(line, "td", numbers(row.amount_paid_by_account));
    cell(line, "td", numbers(row.amount_paid_total));
  }
  const wide = document.createElement("div");
  wide.className = "wide";
  wide.append(element);
  return wide;
}

function draw() {
  tables.replaceChildren();
  if (!report) return;
  const programmes = [...new Set(report.rows.map((row) => row.programme))];
  for (const programme of programmes) tables.append(table(programme, report.rows.filter((row) => row.programme === programme)));
  state.textContent = report.rows.some((row) => row.total_people > 0) ? "" : say("Chưa có số liệu của tháng này", "No figures of this month yet");
}

async function load() {
  const token = currentToken();
  state.classList.remove("error");
  if (!token) {
    report = null;
    state.textContent = say("Hãy đăng nhập", "Sign in first");
    draw();
    return;
  }
  if (!choice.month.value) {
    state.textContent = say("Nhập tháng (ví dụ 2024-09) rồi bấm Xem", "Give a month (such as 2024-09) and press Show");
    return;
  }
  const query = new URLSearchParams({ month: choice.month.value });
  if (choice.unit_path.value) query.set("unit_path", choice.unit_path.value);
  state.textContent = say("Đang tải…", "Loading…");
  let answer = { ok: false };
  let body = { title: "The service cannot be reached", title_vi: "Không kết nối được dịch vụ" };
  try {
    answer = await fetch(`/v1/reports/coverage?${query}`, { headers: { Authorization: `Bearer ${token}` } });
    body = await answer.json();
  } catch {
    // what is said stands above
  }
  report = answer.ok ? body : null;
  state.textContent = answer.ok ? "" : problemText(body, answer.status);
  state.classList.toggle("error", !answer.ok);
  draw();
}

choice.addEventListener("submit", (event) => {
  event.preventDefault();
  history.replaceState(null, "", `?${new URLSearchParams(new FormData(choice))}`);
  load();
});
onChange(load);
load();
