// The survey form for a phone: the households an officer visits, three large answers per person, saved household by household.
// Nothing is kept on the device; what was typed and not saved is gone with the page.
import { anotherToken, currentToken, currentUser, freshToken, onChange, problemText, say, sessionEnded, settings } from "./sign-in.js";

const choice = document.getElementById("choice");
const state = document.getElementById("state");
const list = document.getElementById("tasks");
const more = document.getElementById("more");
const ANSWERS = [
  ["WANTS_ACCOUNT", "Tài khoản", "Account"],
  ["DECLINES", "Tiền mặt", "Cash"],
  ["FORCE_MAJEURE", "Bất khả kháng", "Force majeure"],
];
const AWAY = { title: "The service cannot be reached: nothing was saved", title_vi: "Không kết nối được: chưa ghi gì" };
let tasks = [];
let cursor = null;
let shownFor = null;

const today = new Date();
choice.day.value = [today.getFullYear(), String(today.getMonth() + 1).padStart(2, "0"), String(today.getDate()).padStart(2, "0")].join("-");

async function call(path, options = {}) {
  const { services } = await settings;
  const send = (token) =>
    fetch(new URL(path, services.registry.replace(/\/?$/, "/")), { ...options, headers: { Authorization: `Bearer ${token}`, ...options.headers } });
  try {
    const token = await freshToken();
    let answer = await send(token);
    const other = answer.status === 401 ? await anotherToken(token) : null;
    if (other) answer = await send(other);
    if (answer.status === 401) sessionEnded();
    return { ok: answer.ok, status: answer.status, body: await answer.json() };
  } catch {
    return { ok: false, status: 0, body: AWAY };
  }
}

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// 1950-03-02 → 02/03/1950, 1950-03 → 03/1950: the day as it stands on papers here.
function dated(text) {
  return text ? text.split("-").reverse().join("/") : "";
}

function question(task, person) {
  const field = document.createElement("fieldset");
  field.disabled = task.state === "DONE";
  field.append(element("legend", [person.full_name, dated(person.birth_date), person.masked_phone].filter(Boolean).join(" · ")));
  const answers = element("div", "", "answers");
  const evidence = element("label", say("Căn cứ (cần ghi khi bất khả kháng)", "Evidence (needed for force majeure)"), "evidence");
  const input = document.createElement("input");
  input.maxLength = 300;
  input.value = person.evidence ?? "";
  input.addEventListener("input", () => { person.evidence = input.value; });
  evidence.append(input);
  evidence.hidden = !person.preference;
  for (const [value, vi, en] of ANSWERS) {
    const label = element("label");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = `${task.task_id}-${person.beneficiary_id}`;
    radio.value = value;
    radio.checked = person.preference === value;
    radio.addEventListener("change", () => {
      person.preference = value;
      person.touched = true;
      evidence.hidden = false;
    });
    label.append(radio, element("span", say(vi, en)));
    answers.append(label);
  }
  field.append(answers, evidence);
  return field;
}

function card(task) {
  const box = element("section", "", task.state === "DONE" ? "task done" : "task");
  box.append(element("h2", task.label));
  const due = `${say("hạn", "due")} ${dated(task.due_on)}`;
  box.append(element("p", [task.hamlet, task.address, due].filter(Boolean).join(" · "), "hint"));
  for (const person of task.people) box.append(question(task, person));
  const button = element("button", task.state === "DONE" ? say("Đã xong", "Done") : say("Ghi câu trả lời", "Save answers"));
  button.type = "button";
  button.disabled = task.state === "DONE";
  const note = element("p", task.note ?? "", task.failed ? "error" : "");
  note.setAttribute("role", "status");
  button.addEventListener("click", () => save(task, box, button, note));
  box.append(button, note);
  return box;
}

function wrong(task) {
  const given = task.people.filter((person) => person.touched);
  if (!given.length) return say("Chọn câu trả lời trước", "Choose an answer first");
  const bare = given.find((person) => person.preference === "FORCE_MAJEURE" && !(person.evidence ?? "").trim());
  return bare ? say(`Ghi căn cứ cho ${bare.full_name}`, `Give the evidence for ${bare.full_name}`) : "";
}

async function save(task, box, button, note) {
  const fault = !currentToken() ? say("Hãy đăng nhập", "Sign in first") : !choice.day.value ? say("Nhập ngày trả lời", "Give the day") : wrong(task);
  note.className = fault ? "error" : "";
  note.textContent = fault || say("Đang ghi…", "Saving…");
  if (fault) return;
  button.disabled = true;
  const answers = task.people.filter((person) => person.touched).map((person) => ({
    beneficiary_id: person.beneficiary_id, preference: person.preference, evidence: (person.evidence ?? "").trim() || null,
  }));
  const { ok, status, body } = await call(`v1/survey-tasks/${task.task_id}/answers`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "If-Match": `"${task.version}"` },
    body: JSON.stringify({ business_date: choice.day.value, answered_on: choice.day.value, answers }),
  });
  const known = tasks.indexOf(task);
  if (!ok || known < 0) {
    button.disabled = false;
    note.className = "error";
    note.textContent = problemText(body, status);
    return;
  }
  tasks[known] = { ...body, note: say("Đã ghi", "Saved") };
  box.replaceWith(card(tasks[known]));
}

function draw() {
  list.replaceChildren(...tasks.map(card));
  more.hidden = cursor === null;
}

async function load(next = null) {
  state.classList.remove("error");
  if (!currentToken()) {
    tasks = [];
    cursor = null;
    shownFor = null;
    draw();
    state.textContent = say("Hãy đăng nhập", "Sign in first");
    return;
  }
  const query = new URLSearchParams({ state: "OPEN", mine: String(choice.mine.checked), limit: "25" });
  if (choice.hamlet.value.trim()) query.set("hamlet", choice.hamlet.value.trim());
  if (next) query.set("cursor", next);
  state.textContent = say("Đang tải…", "Loading…");
  const { ok, status, body } = await call(`v1/survey-tasks?${query}`);
  state.classList.toggle("error", !ok);
  state.textContent = ok ? "" : problemText(body, status);
  if (!ok) return;
  tasks = next ? [...tasks, ...body.items] : body.items;
  cursor = body.next_cursor;
  shownFor = currentUser()?.sub;
  draw();
  if (!tasks.length) {
    state.textContent = choice.mine.checked
      ? say("Không có hộ nào giao cho bạn. Bỏ chọn “Chỉ việc giao cho tôi” để xem cả địa bàn.", "No household is given to you. Untick “Only tasks given to me” to see the whole area.")
      : say("Không còn hộ nào cần hỏi", "No household is left to ask");
  }
}

choice.addEventListener("submit", (event) => {
  event.preventDefault();
  load();
});
more.addEventListener("click", () => load(cursor));
// A change of language redraws what is there (typed answers stay); a change of sign-in loads anew.
// A session that has ended leaves them too, and whoever signs in again as the same person goes on.
onChange((why) => {
  if (why === "lapsed" && tasks.length) return;
  if (currentUser() && shownFor === currentUser().sub) draw();
  else load();
});
load();
