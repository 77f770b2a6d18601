// Server-sent events over fetch, because EventSource carries no token. Survives a broken line: comes back with the id of the last
// event seen, waits longer each time, starts at once when the line or the window is back. A silent line counts as broken.
import { anotherToken, freshToken, sessionEnded } from "./sign-in.js";

const SILENT_MS = 45_000;
const LONGEST_MS = 30_000;

class Silence extends Error {}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      document.removeEventListener("visibilitychange", seen);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const seen = () => { if (!document.hidden) done(); };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
    document.addEventListener("visibilitychange", seen);
    signal.addEventListener("abort", done);
  });
}

async function read(answer, onField, signal, silent) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const watch = setTimeout(silent, SILENT_MS);
    const { value, done } = await reader.read().finally(() => clearTimeout(watch));
    if (done || signal.aborted) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) onField(line.replace(/\r$/, ""));
  }
}

// handlers: event(data, id) for each event; line("open" | "lost" | "refused", detail) when the line changes. Ends with `signal`.
export async function follow(address, { event, line, signal }) {
  let last = null;
  let retry = 3_000;
  let tries = 0;
  let data = [];
  let id = null;
  const field = (text) => {
    if (text === "") {
      if (data.length) {
        last = id ?? last;
        event(JSON.parse(data.join("\n")), last);
      }
      data = [];
      id = null;
    } else if (text.startsWith("data:")) data.push(text.slice(5).replace(/^ /, ""));
    else if (text.startsWith("id:")) id = text.slice(3).trim();
    else if (text.startsWith("retry:")) retry = Number(text.slice(6)) || retry;
  };
  while (!signal.aborted) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener("abort", stop);
    let wait = retry;
    data = []; // what was cut off in the middle comes again as a whole
    try {
      const token = await freshToken();
      const headers = { Authorization: `Bearer ${token}`, Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
      const answer = await fetch(address, { headers, signal: attempt.signal, cache: "no-store" });
      if (answer.status === 401) {
        if (await anotherToken(token)) continue;
        sessionEnded();
        return;
      }
      if (!answer.ok) {
        line("refused", await answer.json().catch(() => ({})));
        if (answer.status < 500 && answer.status !== 429) return;
        wait = Math.max(wait, 1000 * (Number(answer.headers.get("Retry-After")) || 0));
        tries += 1;
      } else {
        tries = 0;
        line("open");
        await read(answer, field, signal, () => attempt.abort(new Silence()));
      }
    } catch (error) {
      if (signal.aborted) return;
      line("lost");
      tries += 1;
    } finally {
      signal.removeEventListener("abort", stop);
    }
    if (!signal.aborted) await pause(Math.min(LONGEST_MS, wait * 2 ** Math.min(tries, 4)) * (0.75 + Math.random() / 2), signal);
  }
}
