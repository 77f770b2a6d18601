// Progress of the month's cycles, as it happens.
import { follow } from "./live.js";
import { bars, el, figures, momentText, money, number, pair, percent, table } from "./parts.js";
import { share, summed } from "./sums.js";
import { problemText, say } from "./sign-in.js";
import { CYCLE_STATES, PROGRAMMES, STATE_KINDS, STATE_ORDER, words } from "./texts.js";

export const picks = ["month", "unit", "programme"];
export const lead = ["Các kỳ chi trả của tháng đang đến đâu; số liệu tự cập nhật.", "How far the month's cycles are; the figures renew themselves."];

const STEPS = Object.keys(CYCLE_STATES);

function steps(state) {
  const at = STEPS.indexOf(state);
  return el("ol", { class: "steps" }, ...STEPS.map((step, index) => el("li", {
    class: index < at ? "done" : index === at ? "now" : null, "aria-current": index === at ? "step" : null,
  }, words(CYCLE_STATES, step))));
}

function draw(place, body, programme) {
  const mine = (row) => !programme || row.programme === programme;
  const cycles = body.cycles.filter(mine);
  const states = summed(body.states.filter(mine), (row) => row.state, ["people", "amount"])
    .sort((a, b) => STATE_ORDER.indexOf(a.key) - STATE_ORDER.indexOf(b.key));
  const all = states.reduce((sum, state) => sum + state.people, 0);
  const of = (...keys) => states.filter((state) => keys.includes(state.key)).reduce((sum, state) => sum + state.people, 0);
  const paid = of("PAID_BY_ACCOUNT", "PAID_IN_CASH");
  const amount = states.filter((state) => state.key.startsWith("PAID")).reduce((sum, state) => sum + state.amount, 0);
  const moving = of("IN_PROGRESS", "UNKNOWN");
  const parts = [figures([
    { name: say("Đã nhận tiền", "Paid"), value: number(paid), hint: percent(share(paid, all)), kind: "good" },
    { name: say("Đang chi, chờ kết quả", "On the way"), value: number(moving) },
    { name: say("Chưa nhận, cần xử lý", "Not paid, somebody must act"), value: number(all - paid - moving), kind: all - paid - moving ? "warn" : null },
    { name: say("Tiền đã chi", "Amount paid"), value: money(amount) },
  ])];
  for (const cycle of cycles) {
    parts.push(el("section", { class: "cycle" },
      el("h2", {}, `${words(PROGRAMMES, cycle.programme)} · ${words(CYCLE_STATES, cycle.state)}`),
      el("p", { class: "hint" }, say(`Danh sách ${number(cycle.lines)} người, tạm giữ ${number(cycle.held)}, ${money(cycle.total_amount)}`, `${number(cycle.lines)} people listed, ${number(cycle.held)} held, ${money(cycle.total_amount)}`)),
      steps(cycle.state)));
  }
  if (states.length) {
    const text = (state) => say(state.first.state_text.vi, state.first.state_text.en);
    parts.push(pair(bars({
      label: say("Mọi người được hưởng, theo tình trạng", "Everybody due, by state"), max: Math.max(1, all),
      rows: states.map((state) => ({ label: text(state), value: state.people, text: `${number(state.people)} · ${percent(share(state.people, all))}`, kind: STATE_KINDS[state.key] })),
    }), table({
      caption: say("Theo tình trạng", "By state"),
      heads: [{ text: say("Tình trạng", "State") }, { text: say("Số người", "People"), number: true }, { text: say("Tỷ lệ", "Share"), number: true }, { text: say("Số tiền (đ)", "Amount (đ)"), number: true }],
      rows: [...states.map((state) => ({ cells: [text(state), number(state.people), percent(share(state.people, all)), number(state.amount)] })),
        { cells: [say("Tổng cộng", "Total"), number(all), percent(share(all, all)), number(states.reduce((sum, state) => sum + state.amount, 0))], total: true }],
    })));
  } else parts.push(el("p", {}, say("Chưa có danh sách của tháng này.", "No list of this month yet.")));
  place.replaceChildren(...parts);
}

export async function show(root, choice, { get, signal }) {
  const query = { month: choice.month, unit_path: choice.unit };
  const place = el("div");
  const line = el("span", { role: "status", class: "chip", id: "line" });
  const when = el("span", { class: "hint", id: "as-of" });
  root.append(el("p", { class: "row" }, line, when), place);
  const renew = (body, id) => {
    draw(place, body, choice.programme);
    when.textContent = say(`Số liệu lúc ${momentText(body.as_of)}`, `As of ${momentText(body.as_of)}`);
    if (id) place.dataset.event = id;
  };
  const told = {
    open: ["good", "Đang cập nhật trực tiếp", "Live"],
    lost: ["warn", "Mất kết nối, đang nối lại…", "Line lost, connecting again…"],
  };
  renew(await get("/v1/reports/progress", query));
  line.textContent = say("Đang nối…", "Connecting…");
  follow(`/v1/reports/progress/events?${new URLSearchParams(query)}`, {
    signal,
    event: renew,
    line: (state, problem) => {
      const [kind, vi, en] = told[state] ?? ["bad"];
      line.className = `chip ${kind}`;
      const text = vi ? say(vi, en) : problemText(problem, "");
      if (line.textContent !== text) line.textContent = text;
    },
  });
}
