// The shell every page shares: menu, sign-in, language, picker of month, unit and programme, one way to ask the service.
// A page is one module `page-<name>.js`:
//   export const picks = ["month", "unit", "programme"];      what the picker offers (also "unit" alone, or nothing)
//   export const lead = ["…", "…"];                           one line under the title, Vietnamese and English
//   export async function show(root, choice, tools) {…}       draws into `root`; called again when the choice, the language or the
//                                                             sign-in changes. May return a function that ends what it started.
// `choice` is the address's query (month, unit, programme and whatever the page adds). `tools`: get(path, query), send(…), save(path, query), go(changes),
// signal (aborted when the page is left or drawn anew). Moving between pages loads no document, so the sign-in, which lives in
// memory only, goes along.
import {
  anotherToken, currentLanguage, currentToken, currentUser, freshToken, halfFilled, onChange, problemText, say, sessionEnded, settings,
} from "./sign-in.js";
import { openMenu } from "./menu.js";
import { el, monthText } from "./parts.js";
import { PROGRAMMES, words } from "./texts.js";

const byId = (id) => document.getElementById(id);
const root = byId("page");
const state = byId("state");
const picker = byId("picker");
const trail = byId("trail");
const menu = byId("menu");
let drawing = null; // AbortController of what is on the screen
let ending = null; // the page's own end
let known = null; // what the picker's last question was answered: months, trail, children
let knownFor = "";
let drawnFor = ""; // path and query of what is on the screen

function links() {
  return [...menu.querySelectorAll("a[data-page]")];
}

function pageOf(address) {
  return links().find((link) => new URL(link.href).pathname === address.pathname);
}

// An error of ours or of the line, as a sentence for the status line.
export class Trouble extends Error {
  constructor(text, status = 0) {
    super(text);
    this.status = status;
  }
}

// Sends with the signed-in person's token; when it is refused, once more with a newer one.
async function sendSigned(address, { headers = {}, ...options }) {
  let token = await freshToken();
  if (!token) throw new Trouble(say("Hãy đăng nhập", "Sign in first"));
  for (let last = false; ; last = true) {
    let answer;
    try {
      answer = await fetch(address, { ...options, headers: { Authorization: `Bearer ${token}`, ...headers } });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Trouble(say("Không kết nối được dịch vụ. Kiểm tra đường truyền rồi thử lại.", "The service cannot be reached. Check the line and try again."));
    }
    if (answer.status !== 401) return answer;
    token = last ? null : await anotherToken(token);
    if (token) continue;
    sessionEnded();
    return answer;
  }
}

export async function ask(address, { method = "GET", body, headers = {}, signal } = {}) {
  const sent = body === undefined ? headers : { "Content-Type": "application/json", ...headers };
  const answer = await sendSigned(address, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body), signal });
  const given = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Trouble(problemText(given ?? {}, answer.status), answer.status);
  return given;
}

// A file of the service, saved under the name the service gives it: a plain link would go without the sign-in.
export async function save(address, { signal } = {}) {
  const answer = await sendSigned(address, { signal });
  if (!answer.ok) throw new Trouble(problemText(await answer.json().catch(() => ({})), answer.status));
  const link = el("a", { href: URL.createObjectURL(await answer.blob()), download: /filename="?([^";]+)/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// An address of another service by its name in the console's settings.
export async function addressOf(service, path) {
  const { services } = await settings;
  return new URL(path.replace(/^\//, ""), services[service].replace(/\/?$/, "/"));
}

function withQuery(path, query = {}) {
  const pairs = Object.entries(query).flatMap(([key, value]) => (Array.isArray(value) ? value.map((one) => [key, one]) : [[key, value]]));
  const kept = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return kept.length ? `${path}?${new URLSearchParams(kept)}` : path;
}

export function choice() {
  return Object.fromEntries(new URLSearchParams(location.search));
}

// Changes the address's query and draws anew; "" or null takes a key out. `replace`: no new step in the browser's history.
export function go(changes, { replace = false } = {}) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString();
  history[replace ? "replaceState" : "pushState"](null, "", location.pathname + (text ? `?${text}` : ""));
  draw();
}

export function addressWith(changes, page = location.pathname) {
  const query = new URLSearchParams(location.search);
  if (page !== location.pathname) for (const key of [...query.keys()]) if (!["month", "unit", "programme"].includes(key)) query.delete(key);
  for (const [key, value] of Object.entries(changes)) value ? query.set(key, value) : query.delete(key);
  const text = query.toString();
  return page + (text ? `?${text}` : "");
}

export function status(text, isError = false) {
  state.textContent = text;
  state.classList.toggle("error", isError);
}

async function learn(signal) {
  const { month, unit } = choice();
  const question = [month, unit, currentUser()?.sub].join(" ");
  if (question === knownFor) return;
  known = await ask(withQuery("/v1/reports/picker", { month, unit_path: unit }), { signal });
  knownFor = question;
}

function field(text, control) {
  return el("label", {}, el("span", {}, text), control);
}

// New content in place of old, with the keyboard left where it was: on the same control or link where that is there again, else at
// the start of the content; at the top of the document everything would have to be passed once more.
function put(part, ...content) {
  const held = part.contains(document.activeElement) ? document.activeElement : null;
  part.replaceChildren(...content);
  if (!held) return;
  const same = held.id ? byId(held.id) : [...part.querySelectorAll("a[href]")].find((one) => one.href === held.href);
  (same ?? byId("content")).focus({ preventScroll: true });
}

function drawTrail() {
  const steps = known?.trail ?? [];
  trail.hidden = steps.length === 0;
  const roots = known?.roots ?? [];
  const items = steps.map((unit, index) => {
    const here = index === steps.length - 1;
    return el("li", {}, here ? el("span", { "aria-current": "location" }, unit.name) : el("a", { href: addressWith({ unit: unit.path, cursor: "" }) }, unit.name));
  });
  if (roots.length > 1) items.unshift(el("li", {}, el("a", { href: addressWith({ unit: "", cursor: "" }) }, say("Các đơn vị của tôi", "My units"))));
  put(trail, el("ol", {}, ...items));
}

function drawPicker(wanted) {
  picker.hidden = !wanted.length || !known;
  if (picker.hidden) return;
  const fields = [];
  const chosen = choice();
  const select = (name, options, value) => {
    const control = el("select", { name, id: `pick-${name}` }, ...options.map(([key, text]) => el("option", { value: key }, text)));
    control.value = value ?? "";
    control.addEventListener("change", () => {
      const changes = { [name]: control.value, cursor: "" };
      if (name === "month") changes.unit = known.months.length ? chosen.unit : "";
      go(changes);
      byId(`pick-${name}`)?.focus();
    });
    return control;
  };
  if (wanted.includes("month")) {
    const months = [...new Set([known.month, ...known.months])].filter(Boolean);
    fields.push(field(say("Tháng chi trả", "Month"), select("month", months.map((month) => [month, monthText(month)]), known.month)));
  }
  if (wanted.includes("unit")) {
    const here = known.unit_path ?? "";
    const below = known.children.map((unit) => [unit.path, unit.name]).sort(([, one], [, other]) => one.localeCompare(other, "vi", { numeric: true }));
    const first = here ? [here, say("Tất cả", "All of it")] : ["", say("Chọn đơn vị", "Choose a unit")];
    if (below.length) fields.push(field(say("Đơn vị cấp dưới", "Unit below"), select("unit", [first, ...below], here)));
  }
  if (wanted.includes("programme")) {
    const all = ["", say("Tất cả nhóm", "All groups")];
    fields.push(field(say("Nhóm đối tượng", "Group"), select("programme", [all, ...Object.keys(PROGRAMMES).filter((key) => key !== "ALL").map((key) => [key, words(PROGRAMMES, key)])], chosen.programme)));
  }
  put(picker, ...fields);
}

function leave() {
  drawing?.abort();
  ending?.();
  ending = null;
  drawing = new AbortController();
  return drawing.signal;
}

async function draw() {
  const signal = leave();
  drawnFor = location.pathname + location.search;
  const link = pageOf(location);
  for (const other of links()) {
    if (other === link) other.setAttribute("aria-current", "page");
    else other.removeAttribute("aria-current");
    other.href = addressWith({}, new URL(other.href).pathname);
  }
  byId("title").textContent = link.dataset[currentLanguage()];
  document.title = link.dataset[currentLanguage()];
  if (currentToken()) status(say("Đang tải…", "Loading…")); // at once: what stands below is of another page or language
  try {
    const page = await import(`./page-${link.dataset.page}.js`);
    if (signal.aborted) return;
    byId("lead").textContent = page.lead ? say(...page.lead) : "";
    const wanted = page.picks ?? [];
    if (!currentToken()) {
      known = null;
      knownFor = "";
      put(root);
      drawTrail();
      drawPicker([]);
      status(say("Hãy đăng nhập để xem số liệu.", "Sign in to see the figures."));
      return;
    }
    if (wanted.length) await learn(signal);
    if (signal.aborted) return;
    if (wanted.length) drawTrail();
    else trail.hidden = true;
    drawPicker(wanted);
    const chosen = { ...choice() };
    if (wanted.includes("month")) chosen.month = known.month;
    if (wanted.includes("unit")) chosen.unit = known.unit_path;
    if (wanted.includes("unit") && !chosen.unit) {
      put(root, el("ul", { class: "plain" }, ...known.roots.map((unit) => el("li", {}, el("a", { href: addressWith({ unit: unit.path }) }, unit.name)))));
      status(say("Chọn đơn vị để xem.", "Choose a unit."));
      return;
    }
    if (wanted.includes("month") && !chosen.month) {
      put(root);
      status(say("Chưa có kỳ chi trả nào.", "No payment cycle yet."));
      return;
    }
    const fresh = el("div");
    const tools = {
      signal, go, status, known,
      get: (path, query) => ask(withQuery(path, query), { signal }),
      send: (path, options) => ask(path, { signal, ...options }),
      save: (path, query) => save(withQuery(path, query), { signal }),
    };
    const end = await page.show(fresh, chosen, tools);
    if (signal.aborted) {
      end?.();
      return;
    }
    ending = end ?? null;
    if (state.textContent === say("Đang tải…", "Loading…")) status("");
    put(root, fresh);
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    put(root);
    status(error instanceof Trouble ? error.message : say("Trang gặp lỗi. Tải lại trang.", "The page has failed. Load it again."), true);
    if (!(error instanceof Trouble)) console.error(error);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.origin !== location.origin) return;
  const address = new URL(link.href);
  if (!pageOf(address) || address.hash) return; // a place on this page is the browser's to go to
  event.preventDefault();
  const other = address.pathname !== location.pathname;
  history.pushState(null, "", address.pathname + address.search);
  openMenu(false);
  draw();
  if (other) {
    byId("content").focus({ preventScroll: true });
    scrollTo(0, 0);
  }
});
picker.addEventListener("submit", (event) => event.preventDefault());
addEventListener("popstate", () => {
  if (location.pathname + location.search !== drawnFor) draw(); // a jump to a place on the page takes nothing away
});
onChange((why) => {
  if (!why || !halfFilled(root)) draw(); // a session that ends or goes on takes no half-filled form away
});
draw();
