// Channel mix: people and đồng by the way the money goes.
import { bars, figures, money, number, percent, table } from "./parts.js";
import { share, summed } from "./sums.js";
import { say } from "./sign-in.js";
import { PROGRAMMES, words } from "./texts.js";

export const picks = ["month", "unit", "programme"];
export const lead = ["Tiền đến tay người hưởng qua kênh nào, bao nhiêu người, bao nhiêu tiền.", "Which way the money goes: people and amounts."];

const ORDER = ["BANK", "WALLET", "MOBILE_MONEY", "CASH_POST", "CASH_HOME"];
const BY_ACCOUNT = new Set(ORDER.slice(0, 3));

export async function show(root, choice, { get, status }) {
  const report = await get("/v1/reports/channels", { month: choice.month, unit_path: choice.unit });
  const rows = report.rows.filter((row) => !choice.programme || row.programme === choice.programme);
  if (!rows.length) {
    status(say("Chưa có danh sách chi trả của tháng này.", "No payment list of this month yet."));
    return;
  }
  const names = ["people", "amount", "paid_people", "paid_amount"];
  const channels = summed(rows, (row) => row.channel, names).sort((a, b) => ORDER.indexOf(a.key) - ORDER.indexOf(b.key));
  const all = summed(rows, () => "all", names)[0];
  const account = summed(rows.filter((row) => BY_ACCOUNT.has(row.channel)), () => "account", names)[0];
  const label = (channel) => say(channel.first.channel_text.vi, channel.first.channel_text.en);
  root.append(figures([
    { name: say("Trong danh sách", "On the lists"), value: number(all.people) },
    { name: say("Đã nhận tiền", "Paid"), value: number(all.paid_people), hint: percent(share(all.paid_people, all.people)), kind: "good" },
    { name: say("Danh sách qua tài khoản", "Listed by account"), value: percent(share(account?.people ?? 0, all.people)) },
    { name: say("Tiền đã chi", "Amount paid"), value: money(all.paid_amount) },
  ]));
  root.append(bars({
    label: say("Số người trong danh sách theo kênh", "People on the lists by channel"),
    rows: channels.map((channel) => ({
      label: label(channel), value: channel.people, text: `${number(channel.people)} · ${percent(share(channel.people, all.people))}`,
      kind: BY_ACCOUNT.has(channel.key) ? "good" : "",
    })),
  }));
  const heads = [
    { text: say("Kênh", "Channel") }, { text: say("Số người", "People"), number: true }, { text: say("Tỷ trọng", "Share"), number: true },
    { text: say("Số tiền (đ)", "Amount (đ)"), number: true }, { text: say("Người đã nhận", "People paid"), number: true },
    { text: say("Đã chi (đ)", "Paid (đ)"), number: true },
  ];
  const cells = (name, sum) => [name, number(sum.people), percent(share(sum.people, all.people)), number(sum.amount), number(sum.paid_people), number(sum.paid_amount)];
  root.append(table({
    caption: say("Theo kênh chi trả", "By channel"), heads,
    rows: [...channels.map((channel) => ({ cells: cells(label(channel), channel) })), { cells: cells(say("Tổng cộng", "Total"), all), total: true }],
  }));
  if (choice.programme) return;
  for (const group of Object.keys(PROGRAMMES)) {
    const mine = rows.filter((row) => row.programme === group).sort((a, b) => ORDER.indexOf(a.channel) - ORDER.indexOf(b.channel));
    if (!mine.length) continue;
    const sum = summed(mine, () => "all", names)[0];
    root.append(table({
      caption: words(PROGRAMMES, group), heads,
      rows: mine.map((row) => ({ cells: [say(row.channel_text.vi, row.channel_text.en), number(row.people), percent(share(row.people, sum.people)), number(row.amount), number(row.paid_people), number(row.paid_amount)] })),
    }));
  }
}
