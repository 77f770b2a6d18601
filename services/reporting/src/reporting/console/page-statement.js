// A person's benefit statement: what is due by which decision, every payment with month, channel and result; a PDF to print.
import { el } from "./parts.js";
import { say } from "./sign-in.js";

export const picks = [];
export const lead = ["Bản kê trợ cấp của một người: hưởng gì, theo quyết định nào, trả tháng nào, qua kênh nào. Mỗi lần lập đều ghi nhật ký.", "One person's statement: what, by which decision, which months, how paid. Each one made is audited."];

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function monthBefore(count) {
  const now = new Date();
  return new Date(Date.UTC(now.getFullYear(), now.getMonth() - count, 15)).toISOString().slice(0, 7);
}

function field(id, text, attributes) {
  const control = el("input", { id, required: true, ...attributes });
  return [control, el("label", {}, el("span", {}, text), control)];
}

export async function show(root, choice, { save, status }) {
  const last = choice.month ?? monthBefore(0);
  const [person, personField] = field("statement-person", say("Mã người hưởng", "Person's id"), { value: choice.person ?? "", pattern: ID.source, autocomplete: "off" });
  const [since, sinceField] = field("statement-since", say("Từ tháng", "From month"), { type: "month", value: `${last.slice(0, 4)}-01` });
  const [until, untilField] = field("statement-until", say("Đến tháng", "To month"), { type: "month", value: last });
  const [purpose, purposeField] = field("statement-purpose", say("Mục đích", "Purpose"), { minlength: 5, maxlength: 200, placeholder: say("người hưởng yêu cầu", "asked for by the person") });
  const submit = el("button", { type: "submit", class: "main" }, say("Lập bản kê (PDF)", "Make the statement (PDF)"));
  const form = el("form", { class: "card" }, personField, sinceField, untilField, purposeField, submit);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    status(say("Đang lập…", "Making…"));
    try {
      await save(`/v1/statements/${person.value.trim().toLowerCase()}`, { since: since.value, until: until.value, purpose: purpose.value, form: "pdf" });
      status(say("Đã lập bản kê.", "The statement is made."));
    } catch (error) {
      status(error.message, true);
    } finally {
      submit.disabled = false;
    }
  });
  root.append(form);
  if (!choice.person) root.append(el("p", { class: "hint" }, say("Mở từ trang Không bỏ sót ai: mỗi người có liên kết “Bản kê”.", "Open it from Nobody left behind: each person has a link “Statement”.")));
}
