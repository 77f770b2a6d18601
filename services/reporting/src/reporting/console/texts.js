// Words that several pages use: code → [Vietnamese, English]. A code without words is shown as it is.
import { say } from "./sign-in.js";

export const PROGRAMMES = {
  MERIT: ["Người có công", "People with merit"],
  SOCIAL_ASSISTANCE: ["Bảo trợ xã hội", "Social assistance"],
  SOCIAL_PENSION: ["Trợ cấp hưu trí xã hội", "Social pension"],
  CAMPAIGN: ["Chi một lần", "One-off campaign"],
  ALL: ["Tất cả các nhóm", "All groups"],
};

export const SERVICES = {
  registry: ["Hồ sơ người hưởng", "Register"], "identity-verify": ["Xác thực dân cư", "Identity"], accounts: ["Tài khoản", "Accounts"],
  disbursement: ["Chi trả", "Payments"], reporting: ["Báo cáo", "Reporting"],
};

// Groups of operations in the services' documents (tags), in Vietnamese; their English names are the tags themselves.
export const GROUPS = {
  accounts: "Tài khoản", alerts: "Cảnh báo gian lận", attachments: "Tài liệu đính kèm", audit: "Nhật ký kiểm tra", batches: "Lô chi",
  beneficiaries: "Người hưởng", budgets: "Dự toán", bulk: "Ghi hàng loạt", calendar: "Lịch làm việc", campaigns: "Chi một lần theo đợt", cash: "Tiền mặt",
  "change requests": "Đề nghị sửa", changes: "Thay đổi gửi cơ quan khác", clients: "Hệ thống được phép gọi", complaints: "Khiếu nại", counter: "Bộ phận một cửa",
  cycles: "Kỳ chi", "data sets": "Bộ dữ liệu", decisions: "Quyết định", directory: "Danh mục tổ chức", dues: "Khoản phải chi", duplicates: "Nghi trùng",
  "fee complaints": "Phản ánh về phí", "file exchange": "Trao đổi tệp với công an", funerals: "Mai táng phí", groups: "Nhóm đối tượng",
  history: "Lịch sử", households: "Hộ gia đình", imports: "Nhập danh sách", indicators: "Chỉ số", "inspection samples": "Mẫu kiểm tra",
  institutions: "Cơ sở bảo trợ", jobs: "Việc đang chạy", lanes: "Tuyến gửi đối tác", law: "Mức và quy định", ledger: "Sổ kế toán", "life events": "Biến động",
  lists: "Danh sách in", milestones: "Mốc kế hoạch", moves: "Chuyển nơi hưởng", "my work": "Việc của tôi", obstacles: "Vướng mắc",
  openings: "Mở tài khoản", operation: "Vận hành", outreach: "Tuyên truyền", pages: "Số liệu của các trang", payees: "Người nhận", "payment cases": "Tra soát, thu hồi lệnh",
  payments: "Khoản chi", "personal data": "Dữ liệu cá nhân", planning: "Kế hoạch xác minh", "public figures": "Số liệu công khai",
  quarantine: "Thông báo bị cách ly", rechecks: "Kiểm tra lại", recoveries: "Truy thu", reports: "Báo cáo", representatives: "Người đại diện",
  rulings: "Quy định nội bộ", "self-registration": "Người dân tự đăng ký", settlements: "Quyết toán", "shadow-months": "Tháng chạy song song",
  "social insurance": "Bảo hiểm xã hội", statements: "Sao kê, bản kê", "statutory reports": "Báo cáo theo quy định", "submitted lists": "Danh sách gửi cấp trên",
  surveys: "Khảo sát nguyện vọng", "suspension proposals": "Đề nghị tạm dừng", "take-overs": "Tiếp nhận đơn vị", targets: "Chỉ tiêu",
  tellings: "Báo tin cho người hưởng", units: "Đơn vị hành chính", "unknown payments": "Khoản chi chưa rõ", verification: "Xác minh", webhooks: "Thông báo của đối tác",
  "work list": "Danh sách việc của công an",
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
