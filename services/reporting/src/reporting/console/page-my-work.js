// My work today: what waits for the signed-in officer in all services, by deadline, each line leading to the operation that resolves it.
import { addressOf, ask, Trouble } from "./shell.js";
import { dayText, el, figures, number, table } from "./parts.js";
import { say, settings } from "./sign-in.js";
import { SERVICES } from "./texts.js";

export const picks = [];
export const lead = ["Việc đang chờ chính bạn ở mọi dịch vụ, gấp nhất trước. Việc do bạn đề xuất không ở đây: người khác duyệt.", "What waits for you in every service, most urgent first. What you proposed yourself is not here: somebody else decides it."];

const SOON_DAYS = 3;

function named(service) {
  return SERVICES[service] ? say(...SERVICES[service]) : service;
}

// The operation in the console: it opens there, filled in with what it is about.
function consoleLink(service, operation, text, about = {}) {
  const query = new URLSearchParams({ service, operation: `${operation.method} ${operation.path}`, ...about });
  return el("a", { href: `/console/?${query}` }, text);
}

async function answers(business_date, signal) {
  const { services } = await settings;
  return Promise.all(Object.keys(services).map(async (service) => {
    try {
      const address = await addressOf(service, "v1/work");
      if (business_date) address.searchParams.set("business_date", business_date);
      return { service, list: await ask(address, { signal }) };
    } catch (error) {
      if (error.name === "AbortError") throw error;
      if (error.status === 403) return { service, list: { items: [] } }; // nothing there is this role's work
      return { service, trouble: error instanceof Trouble ? error.message : String(error) };
    }
  }));
}

function urgency(item, day) {
  if (!item.deadline) return { kind: "", text: say("không có hạn", "no deadline") };
  const left = Math.round((Date.parse(item.deadline) - Date.parse(day)) / 86_400_000);
  const days = number(Math.abs(left));
  if (left < 0) return { kind: "bad", text: say(`quá hạn ${days} ngày`, `${days} days late`) };
  if (left === 0) return { kind: "warn", text: say("hôm nay", "today") };
  return { kind: left <= SOON_DAYS ? "warn" : "", text: say(`còn ${days} ngày`, `in ${days} days`) };
}

function row({ service, item, day }) {
  const how = urgency(item, day);
  const rule = item.deadline_from === "HOUSE_RULE" ? el("div", { class: "hint" }, say("theo quy ước nội bộ", "by house rule")) : null;
  const first = item.count > 1 ? say("Xử lý việc gấp nhất", "Resolve the most urgent") : say("Xử lý", "Resolve");
  const links = [consoleLink(service, item.resolve, first, item.about)];
  if (item.see && item.see.path !== item.resolve.path) {
    const named = Object.entries(item.about).filter(([name]) => item.see.path.includes(`{${name}}`));
    links.push(consoleLink(service, item.see, say("Danh sách", "List"), Object.fromEntries(named)));
  }
  if (item.page) links.push(el("a", { href: item.page }, say("Mở trang", "Page")));
  const title = el("div", {}, el("strong", {}, say(item.title_vi, item.title_en)), el("div", { class: "hint" }, named(service)));
  const due = el("div", {}, el("span", { class: `chip ${how.kind}` }, how.text), el("div", { class: "hint" }, item.deadline ? dayText(item.deadline) : ""), rule);
  const count = el("div", {}, number(item.count), item.overdue ? el("div", { class: "error" }, say(`${number(item.overdue)} quá hạn`, `${number(item.overdue)} late`)) : null);
  return { cells: [title, count, due, dayText(item.oldest), el("div", { class: "row" }, ...links)] };
}

export async function show(root, choice, { signal, go }) {
  const found = await answers(choice.day, signal);
  const away = found.filter((one) => one.trouble);
  const items = found.filter((one) => one.list).flatMap(({ service, list }) => list.items.map((item) => ({ service, item, day: list.business_date })));
  items.sort((a, b) => (a.item.deadline ?? "9999").localeCompare(b.item.deadline ?? "9999") || a.item.oldest.localeCompare(b.item.oldest));
  const sum = (name) => items.reduce((total, { item }) => total + item[name], 0);
  const day = found.find((one) => one.list?.business_date)?.list.business_date ?? "";
  const input = el("input", { type: "date", id: "work-day", value: choice.day ?? day });
  input.addEventListener("change", () => go({ day: input.value }));
  root.append(el("form", { class: "card", onsubmit: (event) => event.preventDefault() }, el("label", {}, el("span", {}, say("Ngày", "Day")), input)));
  for (const { service, trouble } of away) {
    root.append(el("p", { class: "error", role: "alert" }, say(`${named(service)} không trả lời: việc ở đó chưa có trong danh sách này. `, `${named(service)} does not answer: its work is missing here. `), trouble));
  }
  root.append(figures([
    { name: say("Việc đang chờ", "Waiting"), value: number(sum("count")) },
    { name: say("Quá hạn", "Late"), value: number(sum("overdue")), kind: sum("overdue") ? "bad" : "good" },
    { name: say("Dịch vụ đã trả lời", "Services that answered"), value: `${found.length - away.length}/${found.length}`, kind: away.length ? "bad" : "good" },
  ]));
  if (!items.length) {
    root.append(el("p", { class: "empty" }, away.length ? say("Không có việc ở các dịch vụ đã trả lời.", "No work in the services that answered.") : say("Không còn việc nào chờ bạn.", "Nothing waits for you.")));
    return;
  }
  root.append(table({
    caption: say("Theo hạn, gấp nhất trước", "By deadline, most urgent first"),
    heads: [
      { text: say("Việc", "Work"), block: true }, { text: say("Số lượng", "Count"), number: true }, { text: say("Hạn gần nhất", "Next deadline") },
      { text: say("Chờ từ", "Since") }, { text: say("Mở", "Open"), block: true },
    ],
    rows: items.map(row),
  }));
}
