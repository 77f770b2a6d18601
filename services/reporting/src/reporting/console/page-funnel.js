// From the register to the money in hand: how many people are left at each step.
import { bars, el, number, pair, percent, table } from "./parts.js";
import { share } from "./sums.js";
import { say } from "./sign-in.js";

export const picks = ["month", "unit", "programme"];
export const lead = ["Bao nhiêu người đi hết từng bước: khảo sát, mở tài khoản, đăng ký, chi trả. Mỗi người đếm một lần.", "How many people pass each step: survey, account, registration, payment. Each person counts once."];

// code, words, kind; the first of a list is the whole of its shares. The steps are counted apart: none is derived from another.
const READY = [
  ["beneficiaries", "Đang hưởng trợ cấp", "With an allowance"],
  ["verified_people", "Đã xác thực với CSDL dân cư", "Verified in the population database"],
  ["collected_people", "Đã thu thập thông tin", "Information collected"],
  ["wants_people", "Muốn nhận qua tài khoản", "Want an account"],
  ["opened_people", "Đã có tài khoản", "Have an account"],
  ["registered_people", "Đã đăng ký nhận qua tài khoản", "Registered for an account"],
  ["account_verified_people", "Đăng ký, tài khoản đã xác minh", "Registered, account verified"],
];
const PAID = [
  ["due_people", "Được chi trả trong tháng", "Due in the month"],
  ["listed_people", "Có trong danh sách", "On a list"],
  ["paid_people", "Đã nhận tiền", "Paid"],
  ["by_account_people", "Trong đó qua tài khoản", "Of these by account"],
];
const BESIDE = [
  ["no_answer_people", "Chưa khảo sát", "Not yet asked"],
  ["declines_people", "Muốn nhận tiền mặt", "Prefer cash"],
  ["force_majeure_people", "Bất khả kháng", "Force majeure"],
  ["no_number_or_not_in_database_people", "Chưa có số định danh hoặc chưa có trong CSDL dân cư", "Without a number, or not in the database"],
  ["held_people", "Đang tạm giữ", "Held"],
  ["unpaid_people", "Đến nay chưa nhận đủ", "Not paid in full yet"],
];

function part(title, steps, values) {
  const whole = values[steps[0][0]];
  const rows = steps.map(([code, vi, en]) => ({ name: say(vi, en), people: values[code], part: share(values[code], whole) }));
  return pair(
    bars({ label: title, max: Math.max(1, ...rows.map((row) => row.people)), rows: rows.map((row) => ({ label: row.name, value: row.people, text: `${number(row.people)} · ${percent(row.part)}` })) }),
    table({
      caption: title,
      heads: [{ text: say("Bước", "Step") }, { text: say("Số người", "People"), number: true }, { text: say("So với bước đầu", "Of the first step"), number: true }],
      rows: rows.map((row) => ({ cells: [row.name, number(row.people), percent(row.part)] })),
    }),
  );
}

export async function show(root, choice, { get, status }) {
  const codes = [...READY, ...PAID, ...BESIDE].map(([code]) => code);
  const report = await get("/v1/indicators", { month: choice.month, unit_path: choice.unit, below: "NONE", group: choice.programme || "EACH_ONCE", code: codes });
  const values = report.rows.find((row) => row.is_total)?.values;
  if (!values || !(values.beneficiaries || values.due_people)) {
    status(say("Chưa có số liệu của tháng này.", "No figures of this month yet."));
    return;
  }
  root.append(
    part(say("Chuẩn bị, đến cuối tháng", "Made ready, at the end of the month"), READY, values),
    part(say("Chi trả của tháng", "The month's payment"), PAID, values),
    table({
      caption: say("Còn ở ngoài", "Still outside"),
      heads: [{ text: say("Vì sao", "Why") }, { text: say("Số người", "People"), number: true }],
      rows: BESIDE.map(([code, vi, en]) => ({ cells: [say(vi, en), number(values[code])] })),
    }),
    el("p", { class: "hint" }, say("Nhận qua tài khoản là tự nguyện: người chọn tiền mặt vẫn nhận đủ.", "An account is voluntary: who chooses cash gets all of it.")),
  );
}
