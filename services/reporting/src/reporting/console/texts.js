// Words that several pages use: code → [Vietnamese, English]. A code without words is shown as it is.
import { say } from "./sign-in.js";

export const PROGRAMMES = {
  MERIT: ["Người có công", "People with merit"],
  SOCIAL_ASSISTANCE: ["Bảo trợ xã hội", "Social assistance"],
  SOCIAL_PENSION: ["Trợ cấp hưu trí xã hội", "Social pension"],
  CAMPAIGN: ["Chi một lần", "One-off campaign"],
  ALL: ["Tất cả các nhóm", "All groups"],
};

export { ROLES } from "./sign-in.js";

export function words(list, code) {
  return list[code] ? say(...list[code]) : code;
}

// States of a person's line: how they are drawn, and in which order.
export const STATES = {
  PAID_BY_ACCOUNT: ["Đã chi trả qua tài khoản", "Paid by account"],
  PAID_IN_CASH: ["Đã nhận tiền mặt", "Paid in cash"],
  IN_PROGRESS: ["Đang chi trả", "Being paid"],
  UNKNOWN: ["Chưa rõ kết quả, đang tra soát", "Outcome not known, being inquired"],
  HELD: ["Tạm giữ, chờ xử lý", "Held until somebody acts"],
  RELEASED: ["Đã gỡ tạm giữ, chờ danh sách kế tiếp", "Released, waits for the next list"],
  FAILED: ["Chi trả không thành công", "Payment failed"],
  RETURNED: ["Tiền bị hoàn trả", "Money came back"],
  UNCOLLECTED: ["Chưa đến nhận", "Not collected"],
  CANCELLED: ["Lệnh chi đã hủy", "Payment order cancelled"],
};
export const STATE_ORDER = Object.keys(STATES);
export const STATE_KINDS = {
  PAID_BY_ACCOUNT: "good", PAID_IN_CASH: "good", UNKNOWN: "warn", HELD: "bad", RELEASED: "warn", FAILED: "bad", RETURNED: "bad",
  UNCOLLECTED: "warn", CANCELLED: "warn",
};

export const CYCLE_STATES = {
  OPEN: ["Đã mở", "Open"],
  COMPUTED: ["Đã lập danh sách", "List computed"],
  SUBMITTED: ["Đã trình", "Submitted"],
  APPROVED: ["Đã duyệt", "Approved"],
  DISBURSING: ["Đang chi", "Disbursing"],
  SETTLING: ["Đang quyết toán", "Settling"],
  CLOSED: ["Đã đóng", "Closed"],
};
