// Sign-in of every page: OAuth 2 authorization code with PKCE (S256), state and nonce.
// The token lives in this tab's sessionStorage and ends with the tab; nothing is kept in localStorage or in cookies.
// A page needs <section id="sign-in" class="card"></section> and <button id="language">; this module fills the first.
// Vietnamese and English: every element with data-vi / data-en shows the chosen language.

const SESSION = "ansinh.session";
const PENDING = "ansinh.sign-in.";
const LANGUAGE = "ansinh.language";
const RETURN = "/console/signed-in";

let session = read(SESSION);
let ending = 0;
let language = sessionStorage.getItem(LANGUAGE) ?? (navigator.language && !navigator.language.startsWith("vi") ? "en" : "vi");
let message = null;
const listeners = [];

export const settings = fetch("/console/settings.json").then((answer) => answer.json());

export function currentToken() {
  return session && Date.now() < session.expires ? session.token : null;
}

// Who is signed in: { sub, name, roles, units }, or null.
export function currentUser() {
  return currentToken() ? session.user : null;
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
  const detail = language === "vi" ? problem.detail_vi ?? problem.detail : problem.detail;
  return [title ?? `HTTP ${status}`, detail].filter(Boolean).join(" – ");
}

// A service answered 401: the session is over, whatever its clock says.
export function sessionEnded() {
  forget();
  tell("Phiên đã hết hạn: hãy đăng nhập lại", "Your session has ended: sign in again", true);
}

// To the issuer's page, and back to where we are.
export async function signIn() {
  if (!window.crypto?.subtle) {
    tell("Chỉ đăng nhập được qua https hoặc trên chính máy này", "Signing in needs https, or this very machine", true);
    return;
  }
  const { authorize_url: authorizeUrl, client_id: clientId } = await settings;
  const pending = { verifier: random(), nonce: random(), page: location.pathname + location.search + location.hash };
  const state = random();
  sessionStorage.setItem(PENDING + state, JSON.stringify(pending));
  const challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier)));
  const query = new URLSearchParams({
    response_type: "code", client_id: clientId, redirect_uri: location.origin + RETURN, scope: "openid", state, nonce: pending.nonce,
    code_challenge: challenge, code_challenge_method: "S256", ui_locales: language,
  });
  location.assign(`${authorizeUrl}?${query}`);
}

export async function signOut() {
  const { end_session_url: endUrl, client_id: clientId } = await settings;
  const hint = session?.identity;
  forget();
  if (!endUrl) return;
  const query = new URLSearchParams({ client_id: clientId, post_logout_redirect_uri: `${location.origin}/console/` });
  if (hint) query.set("id_token_hint", hint);
  location.assign(`${endUrl}?${query}`);
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function claims(jwt) {
  const bytes = Uint8Array.from(atob(jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

// Back from the issuer: check state, change the code for a token, check the nonce, go on to the page that asked.
async function arrive() {
  const answer = new URLSearchParams(location.search);
  const key = PENDING + answer.get("state");
  const pending = read(key);
  sessionStorage.removeItem(key);
  history.replaceState(null, "", RETURN);
  if (!pending) {
    tell("Lần đăng nhập này không do trang này mở: hãy đăng nhập lại", "This sign-in was not begun here: sign in again", true);
    return;
  }
  if (answer.get("error")) {
    tell(`Máy chủ đăng nhập từ chối (${answer.get("error")})`, `The sign-in server refused (${answer.get("error")})`, true);
    return;
  }
  const { token_url: tokenUrl, client_id: clientId } = await settings;
  const body = new URLSearchParams({
    grant_type: "authorization_code", client_id: clientId, code: answer.get("code") ?? "", redirect_uri: location.origin + RETURN,
    code_verifier: pending.verifier,
  });
  let reply = null;
  let given = {};
  try {
    reply = await fetch(tokenUrl, { method: "POST", body });
    given = await reply.json();
  } catch {
    // told below
  }
  const identity = given.id_token ? claims(given.id_token) : {};
  if (!reply?.ok || !given.access_token || identity.nonce !== pending.nonce) {
    tell(reply ? "Mã đăng nhập không còn dùng được: hãy đăng nhập lại" : "Không kết nối được máy chủ đăng nhập",
      reply ? "The sign-in code does not hold any more: sign in again" : "The sign-in server cannot be reached", true);
    return;
  }
  const { sub, name, roles = [], units = [] } = claims(given.access_token);
  session = {
    token: given.access_token, identity: given.id_token, expires: Date.now() + 1000 * (given.expires_in ?? 300),
    user: { sub, name: name ?? identity.name ?? sub, roles, units },
  };
  sessionStorage.setItem(SESSION, JSON.stringify(session));
  location.replace(pending.page.startsWith("/") && !pending.page.startsWith("//") && !pending.page.startsWith(RETURN) ? pending.page : "/console/");
}

function forget() {
  session = null;
  sessionStorage.removeItem(SESSION);
  clearTimeout(ending);
  message = null;
  draw();
  changed();
}

function tell(vi, en, isError = false) {
  message = { vi, en, isError };
  draw();
}

function changed() {
  for (const listener of listeners) listener();
}

function button(id, vi, en, action) {
  const element = document.createElement("button");
  element.type = "button";
  element.id = id;
  element.textContent = say(vi, en);
  element.addEventListener("click", action);
  return element;
}

// Words for the roles a token names; a code without words is shown as it is.
export const ROLES = {
  COMMUNE_OFFICER: ["Cán bộ xã, phường", "Commune officer"],
  DISTRICT_OFFICER: ["Cán bộ huyện", "District officer"],
  DEPARTMENT_OFFICER: ["Cán bộ Sở", "Department officer"],
  APPROVER: ["Người duyệt", "Approver"],
  AUDITOR: ["Thanh tra, kiểm toán", "Auditor"],
  COMMUNE_POLICE: ["Công an xã, phường", "Commune police"],
  PARTNER: ["Đơn vị chi trả", "Payment organisation"],
  INTEGRATOR: ["Hệ thống kết nối", "Connected system"],
  OPERATOR: ["Kỹ thuật vận hành", "Operator"],
  SYSTEM: ["Hệ thống", "The platform"],
};

function rolesText(roles) {
  return roles.map((role) => (ROLES[role] ? say(...ROLES[role]) : role)).join(", ");
}

function unitsText(units) {
  if (!units.length) return "";
  return `${say(units.length > 1 ? "các đơn vị" : "đơn vị", units.length > 1 ? "units" : "unit")} ${units.map((path) => path.split("/").at(-1)).join(", ")}`;
}

function draw() {
  const box = document.getElementById("sign-in");
  if (!box) return;
  const user = currentUser();
  const who = document.createElement("p");
  who.id = "who";
  who.setAttribute("role", "status");
  if (message) who.textContent = say(message.vi, message.en);
  else if (user) who.textContent = [user.name, rolesText(user.roles), unitsText(user.units)].filter(Boolean).join(" · ");
  else who.textContent = say("Bạn chưa đăng nhập", "You are not signed in");
  who.classList.toggle("error", Boolean(message?.isError));
  const action = user ? button("sign-out", "Đăng xuất", "Sign out", signOut) : button("sign-in-button", "Đăng nhập", "Sign in", signIn);
  action.classList.toggle("primary", !user);
  box.replaceChildren(who, action);
}

async function banner() {
  const { training } = await settings;
  let bar = document.getElementById("training");
  if (!training) return;
  if (!bar) {
    bar = document.createElement("p");
    bar.id = "training";
    bar.setAttribute("role", "note");
    document.body.prepend(bar);
  }
  bar.textContent = say("TẬP HUẤN – dữ liệu mẫu, không có tiền thật: mọi thao tác đều được phép thử",
    "TRAINING – sample data, no real money: every operation may be tried");
}

function speak() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-vi]")) element.textContent = element.dataset[language];
  const other = document.getElementById("language");
  if (other) {
    other.textContent = language === "vi" ? "English" : "Tiếng Việt";
    other.lang = language === "vi" ? "en" : "vi";
  }
  banner();
  draw();
  changed();
}

document.getElementById("language")?.addEventListener("click", () => {
  language = language === "vi" ? "en" : "vi";
  sessionStorage.setItem(LANGUAGE, language);
  speak();
});
if (currentToken()) ending = setTimeout(sessionEnded, session.expires - Date.now());
else if (session) {
  session = null;
  sessionStorage.removeItem(SESSION);
  message = { vi: "Phiên đã hết hạn: hãy đăng nhập lại", en: "Your session has ended: sign in again", isError: true };
}
speak();
if (location.pathname === RETURN) await arrive();
