// The picker of services, Swagger UI, and what fills in examples. The bearer token goes only to the services in our settings.
// Addresses that lead here: /console/?service=disbursement#/cycles/<operationId>, or, for who knows no operationId,
// /console/?service=disbursement&operation=POST%20/v1/cycles/{cycle_id}/approve&cycle_id=… (the other names fill parameters, and
// fields of the body where they are JSON pointers: &/event_ids/0=…); an operation that is filled in comes up ready to be executed.
import { anotherToken, currentLanguage, currentToken, freshToken, onChange, say, sessionEnded, settings } from "./sign-in.js";
import { translate } from "./swagger-words.js";
import { GROUPS, SERVICES } from "./texts.js";
import "./menu.js";

const picker = document.getElementById("service");
const find = document.getElementById("find");
const state = document.getElementById("state");
const { services, training } = await settings;
const origins = new Set(Object.values(services).map((address) => new URL(address, location.href).origin));
const FRAMES = 300; // a large document is drawn within seconds
const METHODS = ["get", "post", "put", "patch", "delete"];
let ui = null;
let document_ = null;
let locked = false;
let shownLanguage = "";

for (const name of Object.keys(services)) picker.add(new Option(named(name), name));

function named(service) {
  return SERVICES[service] ? `${say(...SERVICES[service])} (${service})` : service;
}

function base(service = picker.value) {
  return services[service].replace(/\/$/, "");
}

function ours(address) {
  return origins.has(new URL(address, location.href).origin);
}

async function withToken(request) {
  const token = ours(request.url) ? await freshToken() : null;
  if (token) request.headers.Authorization = `Bearer ${token}`;
  return request;
}

// The answer of a refused token: a newer one makes the next try succeed, without one the session is over. The form stays either way.
async function watched(answer) {
  const token = answer.status === 401 && ours(answer.url) ? currentToken() : null;
  if (token && !(await anotherToken(token))) sessionEnded();
  return answer;
}

// Every operation of the document: [verb, path, operation].
function* operations() {
  for (const [path, verbs] of Object.entries(document_.paths)) {
    for (const verb of METHODS) if (verbs[verb]) yield [verb, path, verbs[verb]];
  }
}

// OpenAPI 3.0's words for the same: Swagger UI resolves those in a moment, and a large 3.1 document only after many seconds.
function plainer(node) {
  if (Array.isArray(node)) return node.forEach(plainer);
  if (!node || typeof node !== "object") return undefined;
  // Beside a reference 3.0 knows no words: a field that is one of some values takes these in, and keeps its own description.
  const values = node.$ref && node.description ? document_.components.schemas[node.$ref.split("/").at(-1)] : null;
  if (values?.enum) {
    delete node.$ref;
    Object.assign(node, { ...structuredClone(values), ...node });
  }
  const other = Array.isArray(node.anyOf) ? node.anyOf.filter((one) => one.type !== "null") : [];
  if (other.length && other.length < node.anyOf.length) {
    delete node.anyOf;
    if (other.length === 1) Object.assign(node, { ...other[0], ...node });
    else node.anyOf = other;
    node.nullable = true;
  }
  if (Array.isArray(node.examples)) {
    node.example ??= node.examples[0];
    delete node.examples;
  }
  if (node.const !== undefined) node.enum = [node.const];
  if (node.contentMediaType === "application/octet-stream") node.format = "binary";
  for (const [key, inner] of Object.entries(node)) if (key !== "example" && key !== "enum") plainer(inner);
  return undefined;
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (one) => one.toString(16).padStart(8, "0")).join("-");
}

// The document as this language reads it.
function spoken() {
  const copy = structuredClone(document_);
  plainer(copy);
  copy.openapi = "3.0.3";
  copy.servers = [{ url: base() }];
  copy.info.title = named(picker.value);
  const groups = new Set([...operations()].flatMap(([, , operation]) => operation.tags ?? []));
  if (currentLanguage() === "vi") copy.tags = [...groups].map((name) => ({ name, description: GROUPS[name] }));
  delete copy.components.examples;
  for (const verbs of Object.values(copy.paths)) {
    for (const verb of METHODS) {
      const operation = verbs[verb];
      if (operation && currentLanguage() === "vi" && operation["x-summary-vi"]) operation.summary = operation["x-summary-vi"];
      // Each form has a key of its own: under the example's the second thing done would be refused, or answered with what the first one did.
      for (const one of operation?.parameters ?? []) if (one.name === "Idempotency-Key") one.example = newKey();
      for (const [status, answer] of Object.entries(operation?.responses ?? {})) if (status >= "400") delete answer.content;
      if (operation && currentLanguage() !== "vi") operation.summary = operation.summary?.split(" · ")[0];
    }
  }
  return copy;
}

function show() {
  shownLanguage = currentLanguage();
  for (const option of picker.options) option.text = named(option.value);
  locked = false;
  ui = window.SwaggerUIBundle({
    spec: spoken(),
    dom_id: "#swagger",
    layout: "BaseLayout",
    presets: [window.SwaggerUIBundle.presets.apis],
    plugins: [filler],
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    persistAuthorization: false,
    validatorUrl: null,
    requestInterceptor: withToken,
    responseInterceptor: watched,
    onComplete: complete,
  });
  document.getElementById("operations").replaceChildren(
    ...[...operations()].map(([verb, path, operation]) => new Option(currentLanguage() === "vi" ? operation["x-summary-vi"] : operation.summary, `${verb.toUpperCase()} ${path}`)),
  );
}

async function open() {
  const service = picker.value;
  state.textContent = say("Đang tải…", "Loading…");
  try {
    const answer = await fetch(`${base()}/openapi.json`);
    if (!answer.ok) throw new Error(String(answer.status));
    const loaded = await answer.json();
    if (picker.value !== service) return;
    document_ = loaded;
  } catch {
    state.textContent = say(`Không tải được dịch vụ ${service}. Kiểm tra dịch vụ có đang chạy không.`, `The service ${service} cannot be loaded. Is it running?`);
    return;
  }
  state.textContent = "";
  show();
}

// Shows the padlocks as closed after sign-in (the interceptor is what sends the token).
function lock() {
  if (!ui) return;
  const token = currentToken();
  if (token) ui.preauthorizeApiKey("HTTPBearer", token);
  else if (locked) ui.authActions.logout(["HTTPBearer"]);
  locked = Boolean(token);
}

function complete() {
  lock();
  const query = new URLSearchParams(location.search);
  if (query.get("service") === picker.value && query.get("operation")) unfold(query.get("operation"), query);
}

// Opens an operation by verb and path, and fills in the parameters that the address brings.
function unfold(name, given = new URLSearchParams()) {
  const found = [...operations()].find(([verb, path]) => `${verb.toUpperCase()} ${path}` === name);
  if (!found) {
    state.textContent = say("Không có lệnh này", "No such operation");
    return false;
  }
  const [verb, path, operation] = found;
  const tag = operation.tags?.[0] ?? "default";
  const system = ui.getSystem();
  system.layoutActions.show(["operations-tag", tag], true);
  system.layoutActions.show(["operations", tag, operation.operationId], true);
  const fills = [...given.keys()].some((name) => name.startsWith("/") || operation.parameters?.some((one) => one.name === name));
  const id = `operations-${tag.replace(/[^\w-]/g, "_")}-${operation.operationId}`;
  let frames = 0;
  requestAnimationFrame(function drawn() {
    const block = document.getElementById(id);
    const ready = block?.querySelector(".try-out__btn");
    const resolved = system.specSelectors.specResolvedSubtree(["paths", path, verb]); // before, Swagger UI would put its example over what is filled in
    if (frames++ < 2 || (fills && !(ready && resolved) && frames < FRAMES)) return requestAnimationFrame(drawn);
    if (fills && ready) {
      if (!ready.classList.contains("cancel")) ready.click(); // Swagger UI shows the fields then, and puts its own example into the body
      requestAnimationFrame(() => fillGiven(system, [path, verb], operation, given));
    }
    block?.scrollIntoView({ block: "start" });
    return block?.querySelector("button")?.focus({ preventScroll: true });
  });
  return true;
}

// Parameters by name, and fields of the body by JSON pointer.
function fillGiven(system, pathMethod, operation, given) {
  for (const parameter of operation.parameters ?? []) {
    if (given.has(parameter.name)) fillParameter(system, pathMethod, parameter, given.get(parameter.name));
  }
  const pointers = [...given.keys()].filter((name) => name.startsWith("/"));
  const media = operation.requestBody?.content["application/json"];
  if (!pointers.length || !media) return;
  const body = structuredClone(media.example ?? {});
  for (const pointer of pointers) put(body, pointer, given.get(pointer));
  system.oas3Actions.setRequestBodyValue({ value: JSON.stringify(body, null, 2), pathMethod });
}

function fillParameter(system, pathMethod, parameter, value) {
  // Swagger UI keeps a value twice, by name and by the whole parameter; what it shows is the second.
  const place = ["paths", ...pathMethod];
  for (const operation of [system.specSelectors.specResolvedSubtree(place), system.specSelectors.specJson().getIn(place)]) {
    const known = operation?.get("parameters")?.find((one) => one.get("name") === parameter.name && one.get("in") === parameter.in);
    if (known) system.specActions.changeParamByIdentity(pathMethod, known, String(value), false);
  }
  system.specActions.changeParam(pathMethod, parameter.name, parameter.in, String(value), false);
}

// --- examples from the sample data (x-example-from, see the integrators' guide) ---------------------------------------------------

class Missing extends Error {}

function digits(pattern) {
  const drawn = crypto.getRandomValues(new Uint8Array(pattern.length));
  return [...pattern].map((letter, index) => (letter === "#" ? drawn[index] % 10 : letter === "?" ? 1 + (drawn[index] % 9) : letter)).join("");
}

function at(value, pointer) {
  for (const part of pointer.split("/").slice(1)) value = part === "*" ? value?.[Math.floor(Math.random() * value.length)] : value?.[part];
  return value;
}

async function valueOf(sources, known) {
  const tried = [];
  for (const source of sources) {
    if (source.new) return digits(source.new);
    const call = source.call.replace(/\{(\w+)\}/g, (whole, name) => known[name] ?? whole);
    tried.push(call);
    if (!call.startsWith("GET ") || call.includes("{")) continue;
    if (source.service && !services[source.service]) continue;
    const answer = await fetch(base(source.service) + call.slice(4), { headers: { Authorization: `Bearer ${await freshToken()}` } });
    if (answer.status === 401) sessionEnded();
    if (!answer.ok) continue;
    const value = source.at === "ETag" ? answer.headers.get("etag") : at(await answer.json(), source.at);
    if (value !== undefined && value !== null) return source.many ? [value] : value;
  }
  throw new Missing(tried.join(", "));
}

function put(body, pointer, value) {
  const parts = pointer.split("/").slice(1);
  const last = parts.pop();
  for (const part of parts) body = body[part] ??= {};
  body[last] = value;
}

// Fills an operation's parameters and body from the data; gives a sentence for what was not found.
async function fill(system, [path, verb]) {
  const operation = document_.paths[path][verb];
  const wanted = operation["x-example-from"] ?? {};
  const parameters = operation.parameters ?? [];
  const known = {};
  const missing = [];
  const inPath = new Set(parameters.filter((parameter) => parameter.in === "path").map((parameter) => parameter.name));
  const [media] = Object.values(operation.requestBody?.content ?? {});
  const body = media?.example === undefined ? undefined : structuredClone(media.example);
  for (const [key, sources] of Object.entries(wanted).sort(([one], [other]) => inPath.has(other) - inPath.has(one))) {
    try {
      known[key] = await valueOf(sources, known);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      missing.push(`${key} ← ${error.message}`);
      continue;
    }
    if (key.startsWith("/") && body !== undefined) put(body, key, known[key]);
  }
  for (const parameter of parameters) {
    const value = known[parameter.name] ?? parameter.example;
    if (value !== undefined) fillParameter(system, [path, verb], parameter, value);
  }
  if (body !== undefined && operation.requestBody.content["application/json"]) {
    system.oas3Actions.setRequestBodyValue({ value: JSON.stringify(body, null, 2), pathMethod: [path, verb] });
  }
  return missing;
}

// Above an operation's parameters: a button that fills in its example, in training only.
function filler() {
  return {
    wrapComponents: {
      parameters: (Original, system) => (props) => {
        const { createElement: make, Fragment, useState } = system.React;
        const [told, tell] = useState("");
        const [, path, verb] = ["", ...(props.pathMethod ?? [])];
        const operation = document_?.paths[path]?.[verb];
        const original = make(Original, props);
        if (!training || !operation) return original;
        const cannot = operation["x-example-cannot"];
        const press = async () => {
          if (!currentToken() && operation["x-required-roles"]?.length) return tell(say("Hãy đăng nhập trước", "Sign in first"));
          if (!props.tryItOutEnabled) props.onTryoutClick?.(); // puts Swagger UI's own example into the body
          const missing = await fill(system, [path, verb]);
          return tell(missing.length ? say(`Cần làm trước: ${missing.join("; ")}`, `First do: ${missing.join("; ")}`) : say("Đã điền ví dụ, bấm Thực hiện", "Filled in, press Execute"));
        };
        return make(Fragment, null,
          make("div", { className: "example" },
            make("button", { type: "button", onClick: press }, say("Điền ví dụ từ dữ liệu mẫu", "Fill in the example from the sample data")),
            make("span", { role: "status" }, told || (cannot ? say("Ví dụ này chưa thực hiện được trên dữ liệu mẫu", cannot) : ""))),
          original);
      },
    },
  };
}

translate(document.getElementById("swagger"));
const asked = new URLSearchParams(location.search).get("service") ?? decodeURIComponent(location.hash.slice(1));
if (services[asked]) picker.value = asked;
picker.addEventListener("change", () => {
  history.pushState(null, "", `?service=${encodeURIComponent(picker.value)}`);
  open();
});
find.addEventListener("change", () => {
  if (find.value && ui && unfold(find.value)) find.value = "";
});
addEventListener("popstate", () => {
  const service = new URLSearchParams(location.search).get("service");
  if (services[service] && service !== picker.value) {
    picker.value = service;
    open();
  }
});
onChange(() => {
  if (document_ && currentLanguage() !== shownLanguage) show();
  else lock();
});
open();
