// Who has no money yet, and why: holds, failures, money that came back, cash not collected, outcomes not known.
import { addressWith } from "./shell.js";
import { bars, el, figures, number, table } from "./parts.js";
import { summed } from "./sums.js";
import { say } from "./sign-in.js";
import { ROLES, STATE_KINDS, words } from "./texts.js";

export const picks = ["month", "unit", "programme"];
export const lead = ["Những người chưa nhận được tiền: vì sao, ai phải xử lý.", "People who have no money yet: why, and who must act."];

export async function show(root, choice, { get, status }) {
  const report = await get("/v1/reports/outcomes", { month: choice.month, unit_path: choice.unit });
  const mine = (row) => !choice.programme || row.programme === choice.programme;
  const all = report.states.filter(mine);
  const rows = report.rows.filter(mine);
  if (!all.length) {
    status(say("Chưa có số liệu của tháng này.", "No figures of this month yet."));
    return;
  }
  const states = summed(rows, (row) => row.state, ["people", "amount"]).sort((a, b) => b.people - a.people);
  const text = (row) => say(row.state_text.vi, row.state_text.en);
  if (!rows.length) {
    root.append(el("p", {}, say("Không có ai bị tạm giữ, lỗi, hoàn trả hay chưa nhận.", "Nobody is held, failed, returned or uncollected.")));
    return;
  }
  root.append(figures(states.map((state) => ({ name: text(state.first), value: number(state.people), kind: STATE_KINDS[state.key] }))));
  const reasons = summed(rows, (row) => `${row.state} ${row.reason}`, ["people", "amount"]).sort((a, b) => b.people - a.people);
  const reason = (row) => say(row.reason_text.vi, row.reason_text.en);
  root.append(bars({
    label: say("Lý do, nhiều người nhất trước", "Reasons, most people first"),
    rows: reasons.slice(0, 12).map((one) => ({ label: reason(one.first), value: one.people, text: number(one.people), kind: STATE_KINDS[one.first.state] })),
  }));
  root.append(table({
    caption: say("Theo tình trạng và lý do", "By state and reason"),
    heads: [
      { text: say("Lý do", "Reason") }, { text: say("Tình trạng", "State") }, { text: say("Đến lượt", "Whose turn") },
      { text: say("Số người", "People"), number: true }, { text: say("Số tiền (đ)", "Amount (đ)"), number: true }, { text: say("Từng người", "One by one") },
    ],
    rows: reasons.map(({ first, people, amount }) => ({
      cells: [
        reason(first), text(first), first.actor ? words(ROLES, first.actor) : "–", number(people), number(amount),
        el("a", { href: addressWith({ state: first.state, reason: first.reason }, "/pages/people") }, say(`Xem ${number(people)} người`, `See ${number(people)}`)),
      ],
    })),
  }));
}
