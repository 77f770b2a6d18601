// Sign-in shared by the pages: the token lives in this module's memory and nowhere else.
// Vietnamese and English: every element with data-vi / data-en shows the chosen language.

let token = null;
let expires = 0;
let ending = 0;
let language = navigator.language && !navigator.language.startsWith("vi") ? "en" : "vi";
const listeners = [];

export const settings = fetch("/console/settings.json").then((answer) => answer.json());

export function currentToken() {
  return token !== null && Date.now() < expires ? token : null;
}

export function say(vi, en) {
  return language === "vi" ? vi : en;
}

export function currentLanguage() {
  return language;
}

export function onChange(listener) {
  listeners.push(listener);
}

export function problemText(problem, status) {
  const title = language === "vi" ? problem.title_vi ?? problem.title : problem.title;
  return [title ?? `HTTP ${status}`, problem.detail].filter(Boolean).join(" – ");
}

function changed() {
  for (const listener of listeners) listener();
}

function claims(jwt) {
  const bytes = Uint8Array.from(atob(jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

function speak() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-vi]")) element.textContent = element.dataset[language];
  const button = document.getElementById("language");
  button.textContent = language === "vi" ? "English" : "Tiếng Việt";
  button.lang = language === "vi" ? "en" : "vi";
  changed();
}

function signedIn(yes) {
  const form = document.getElementById("sign-in");
  for (const element of form.querySelectorAll("label, [type=submit]")) element.hidden = yes;
  document.getElementById("sign-out").hidden = !yes;
}

function show(text, isError = false) {
  const who = document.getElementById("who");
  who.textContent = text;
  who.classList.toggle("error", isError);
}

async function signIn(event) {
  event.preventDefault();
  const form = event.target;
  const { token_url: tokenUrl, client_id: clientId } = await settings;
  const body = new URLSearchParams({
    grant_type: "password", client_id: clientId, username: form.username.value, password: form.password.value,
  });
  let answer;
  try {
    answer = await fetch(tokenUrl, { method: "POST", body });
  } catch {
    show(say("Không kết nối được máy chủ đăng nhập", "The sign-in server cannot be reached"), true);
    return;
  }
  const given = await answer.json().catch(() => ({}));
  if (!answer.ok || !given.access_token) {
    const theirs = answer.status >= 500;
    show(theirs ? say("Máy chủ đăng nhập gặp lỗi", "The sign-in server has failed")
      : say("Sai tên đăng nhập hoặc mật khẩu", "Wrong user name or password"), true);
    return;
  }
  token = given.access_token;
  const seconds = given.expires_in ?? 300;
  expires = Date.now() + 1000 * seconds;
  clearTimeout(ending);
  ending = setTimeout(() => {
    signOut();
    show(say("Phiên đã hết hạn: hãy đăng nhập lại", "Your session has ended: sign in again"), true);
  }, 1000 * seconds);
  form.password.value = "";
  const { name, sub, roles = [], units = [] } = claims(token);
  show(`${name ?? sub} · ${roles.join(", ")} · ${units.join(", ")}`);
  signedIn(true);
  changed();
}

function signOut() {
  token = null;
  clearTimeout(ending);
  show("");
  signedIn(false);
  changed();
}

document.getElementById("sign-in").addEventListener("submit", signIn);
document.getElementById("sign-out").addEventListener("click", signOut);
document.getElementById("language").addEventListener("click", () => {
  language = language === "vi" ? "en" : "vi";
  speak();
});
speak();
