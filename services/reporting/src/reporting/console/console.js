// The picker and Swagger UI. The bearer token goes only to the services in our settings.
import { currentToken, onChange, settings } from "./sign-in.js";

const picker = document.getElementById("service");
const { services } = await settings;
const origins = new Set(Object.values(services).map((address) => new URL(address, location.href).origin));
let ui = null;
let locked = false;

for (const name of Object.keys(services)) picker.add(new Option(name, name));

function withToken(request) {
  const token = currentToken();
  if (token && origins.has(new URL(request.url, location.href).origin)) request.headers.Authorization = `Bearer ${token}`;
  return request;
}

function open() {
  locked = false;
  const name = services[picker.value] ? picker.value : Object.keys(services)[0];
  history.replaceState(null, "", `#${name}`);
  ui = window.SwaggerUIBundle({
    url: new URL("openapi.json", services[name].replace(/\/?$/, "/")).href,
    dom_id: "#swagger",
    layout: "BaseLayout",
    presets: [window.SwaggerUIBundle.presets.apis],
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    persistAuthorization: false,
    validatorUrl: null,
    requestInterceptor: withToken,
    onComplete: lock,
  });
}

// Shows the padlocks as closed after sign-in (the interceptor is what sends the token).
function lock() {
  const token = currentToken();
  if (!ui) return;
  if (token) ui.preauthorizeApiKey("HTTPBearer", token);
  else if (locked) ui.authActions.logout(["HTTPBearer"]);
  locked = Boolean(token);
}

const asked = decodeURIComponent(location.hash.slice(1));
if (services[asked]) picker.value = asked;
picker.addEventListener("change", open);
onChange(lock);
open();
