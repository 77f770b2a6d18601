// Sign-in of every page: OAuth 2 authorization code with PKCE (S256), state and nonce.
// The tokens live in this tab's sessionStorage and end with the tab; nothing is kept in localStorage or in cookies. A refresh token, where
// the issuer gives one, prolongs the session without leaving the page; when even that has ended, signing in happens in a window of its
// own, so that a half-filled form stays where it is.
// A page needs <section id="sign-in" class="card"></section> and <button id="language">; this module fills the first.
// Vietnamese and English: every element with data-vi / data-en shows the chosen language.

const SESSION = "ansinh.session";
const PENDING = "ansinh.sign-in.";
const LANGUAGE = "ansinh.language";
const RETURN = "/console/signed-in";
const EARLY_MS = 60_000; // renewed at the latest this long before the end, or in the last fifth of a short token's life
const AGAIN_MS = 10_000;
const ELSEWHERE = new BroadcastChannel("ansinh.sign-in"); // the window of a new sign-in gives the code to the page that asked for it

let session = read(SESSION);
let ending = 0;
let language = sessionStorage.getItem(LANGUAGE) ?? (navigator.language && !navigator.language.startsWith("vi") ? "en" : "vi");
let message = null;
let renewing = null;
let lapsed = null; // who was signed in when the session ran out
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
  const named = (problem.errors ?? []).slice(0, 3).map((one) => [one.row ? say(`dòng ${one.row}`, `row ${one.row}`) : "", one.field, (language === "vi" ? one.detail_vi : null) ?? one.detail].filter(Boolean).join(": "));
  const detail = (language === "vi" ? problem.detail_vi : null) ?? problem.detail ?? named.join("; ");
  return [title ?? `HTTP ${status}`, detail].filter(Boolean).join(" – ");
}

// The token to send now; near its end a new one is fetched first.
export async function freshToken() {
  if (session?.refresh && Date.now() > session.expires - early()) await renew();
  return currentToken();
}

// A service answered 401 to `token`: is there another one to try with?
export async function anotherToken(token) {
  if (session?.refresh && session.token === token) await renew();
  const now = currentToken();
  return now !== token ? now : null;
}

// A service answered 401 and no other token is to be had: the session is over, whatever its clock says. What is on the screen stays.
export function sessionEnded() {
  lapsed = session?.user.sub ?? lapsed;
  end();
  tell("Phiên đã hết hạn. Nội dung đang nhập vẫn còn: hãy đăng nhập lại", "Your session has ended. What you typed is still here: sign in again", true);
  changed("lapsed");
}

// To the issuer's page, and back to where we are.
export async function signIn() {
  if (!window.crypto?.subtle) {
    tell("Chỉ đăng nhập được qua https hoặc trên chính máy này", "Signing in needs https, or this very machine", true);
    return;
  }
  const { authorize_url: authorizeUrl, client_id: clientId } = await settings;
  const pending = { verifier: random(), nonce: random(), page: location.pathname + location.search + location.hash, stays: Boolean(lapsed) };
  const state = random();
  sessionStorage.setItem(PENDING + state, JSON.stringify(pending));
  const challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier)));
  const query = new URLSearchParams({
    response_type: "code", client_id: clientId, redirect_uri: location.origin + RETURN, scope: "openid", state, nonce: pending.nonce,
    code_challenge: challenge, code_challenge_method: "S256", ui_locales: language,
  });
  const address = `${authorizeUrl}?${query}`;
  if (pending.stays && window.open(address, "_blank", "popup,width=560,height=760")) return;
  location.assign(address);
}

export async function signOut() {
  const { end_session_url: endUrl, revoke_url: revokeUrl, client_id: clientId } = await settings;
  const { identity: hint, refresh } = session ?? {};
  lapsed = null;
  end();
  message = null;
  draw();
  changed();
  if (refresh && revokeUrl) {
    const body = new URLSearchParams({ client_id: clientId, token: refresh, token_type_hint: "refresh_token" });
    await fetch(revokeUrl, { method: "POST", body, keepalive: true }).catch(() => {}); // the tab has forgotten it in any case
  }
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
  history.replaceState(null, "", RETURN);
  if (!pending || pending.stays) {
    sessionStorage.removeItem(key); // a copy: the page that asked has its own
    if (await handOver(answer)) {
      tell("Đã đăng nhập. Quay lại trang đang làm; cửa sổ này đóng được", "Signed in. Go back to your page; this window may be closed");
      window.close();
    } else tell("Lần đăng nhập này không do trang này mở: hãy đăng nhập lại", "This sign-in was not begun here: sign in again", true);
    return;
  }
  if (await redeem(answer)) {
    location.replace(pending.page.startsWith("/") && !pending.page.startsWith("//") && !pending.page.startsWith(RETURN) ? pending.page : "/console/");
  }
}

// Gives the answer to the page that keeps its state and verifier; without the verifier nobody can use it. False: no page took it.
function handOver(answer) {
  return new Promise((resolve) => {
    const done = (taken) => {
      ELSEWHERE.removeEventListener("message", heard);
      resolve(taken);
    };
    const heard = ({ data }) => { if (data.taken === answer.get("state")) done(true); };
    ELSEWHERE.addEventListener("message", heard);
    setTimeout(done, 3_000, false);
    ELSEWHERE.postMessage({ answer: answer.toString() });
  });
}

ELSEWHERE.addEventListener("message", async ({ data }) => {
  if (!data.answer) return;
  const answer = new URLSearchParams(data.answer);
  if (location.pathname === RETURN || !read(PENDING + answer.get("state"))) return;
  ELSEWHERE.postMessage({ taken: answer.get("state") });
  const before = lapsed;
  if (!(await redeem(answer))) return;
  message = null;
  draw();
  changed(before === session.user.sub ? "renewed" : undefined);
});

// Changes the code for tokens, once: checks the state that was kept and the nonce. True when somebody is signed in.
async function redeem(answer) {
  const key = PENDING + answer.get("state");
  const pending = read(key);
  sessionStorage.removeItem(key);
  if (answer.get("error")) {
    tell(`Máy chủ đăng nhập từ chối (${answer.get("error")})`, `The sign-in server refused (${answer.get("error")})`, true);
    return false;
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
    return false;
  }
  take(given, identity);
  return true;
}

// Tokens as the issuer gave them become the session.
function take(given, identity = {}) {
  const { sub, name, roles = [], units = [] } = claims(given.access_token);
  const life = 1000 * (given.expires_in ?? 300);
  session = {
    token: given.access_token, identity: given.id_token ?? session?.identity, refresh: given.refresh_token, life, expires: Date.now() + life,
    user: { sub, name: name ?? identity.name ?? session?.user.name ?? sub, roles, units },
  };
  lapsed = null;
  sessionStorage.setItem(SESSION, JSON.stringify(session));
  watch();
}

function early() {
  return Math.min(EARLY_MS, (session.life ?? EARLY_MS) / 5);
}

// Renews before the token's end; without a refresh token the session ends with it.
function watch() {
  clearTimeout(ending);
  if (!session) return;
  const left = session.expires - Date.now();
  ending = session.refresh ? setTimeout(renew, Math.max(AGAIN_MS / 10, left - early())) : setTimeout(sessionEnded, Math.max(0, left));
}

function renew() {
  renewing ??= askForMore().finally(() => { renewing = null; });
  return renewing;
}

async function askForMore() {
  const { token_url: tokenUrl, client_id: clientId } = await settings;
  const before = session;
  if (!before?.refresh) return;
  const body = new URLSearchParams({ grant_type: "refresh_token", client_id: clientId, refresh_token: before.refresh });
  let reply = null;
  let given = {};
  try {
    reply = await fetch(tokenUrl, { method: "POST", body });
    given = await reply.json();
  } catch {
    // the line: tried again below
  }
  if (session !== before) return; // signed out meanwhile
  if (reply?.ok && given.access_token && claims(given.access_token).sub === before.user.sub) {
    const wasAway = !currentToken();
    take({ refresh_token: before.refresh, ...given });
    message = null;
    draw();
    if (wasAway) changed("renewed");
  } else if (!reply || reply.status >= 500 || reply.status === 429) {
    clearTimeout(ending);
    ending = setTimeout(renew, AGAIN_MS);
    if (!currentToken()) tell("Chưa nối lại được máy chủ đăng nhập, đang thử lại", "The sign-in server cannot be reached yet, trying again", true);
  } else {
    delete session.refresh;
    sessionStorage.setItem(SESSION, JSON.stringify(session));
    watch();
  }
}

function end() {
  session = null;
  sessionStorage.removeItem(SESSION);
  clearTimeout(ending);
}

function tell(vi, en, isError = false) {
  message = { vi, en, isError };
  draw();
}

// `why`: "lapsed" (the session ran out) and "renewed" (the same person goes on) leave alone what is half done; nothing: all is new.
function changed(why) {
  for (const listener of listeners) listener(why);
}

// Whether somebody has typed into this part of the page.
export function halfFilled(part) {
  return [...part.querySelectorAll("input, textarea, select")].some((field) =>
    field.tagName === "SELECT" ? [...field.options].some((option) => option.selected !== option.defaultSelected)
      : ["checkbox", "radio"].includes(field.type) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);
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
if (currentToken() || session?.refresh) {
  watch();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) freshToken(); }); // a machine that slept
} else if (session) {
  session = null;
  sessionStorage.removeItem(SESSION);
  message = { vi: "Phiên đã hết hạn: hãy đăng nhập lại", en: "Your session has ended: sign in again", isError: true };
}
speak();
if (location.pathname === RETURN) await arrive();
