// Words that several pages use: code → [Vietnamese, English]. A code without words is shown as it is.
import { say } from "./sign-in.js";

export const PROGRAMMES = {
  MERIT: ["Người có công", "People with merit"],
  SOCIAL_ASSISTANCE: ["Bảo trợ xã hội", "Social assistance"],
  SOCIAL_PENSION: ["Trợ cấp hưu trí xã hội", "Social pension"],
  CAMPAIGN: ["Chi một lần", "One-off campaign"],
  ALL: ["Tất cả các nhóm", "All groups"],
};

export const ROLES = {
  COMMUNE_OFFICER: ["Cán bộ xã, phường", "Commune officer"],
  DISTRICT_OFFICER: ["Cán bộ huyện", "District officer"],
  DEPARTMENT_OFFICER: ["Cán bộ Sở", "Department officer"],
  APPROVER: ["Người duyệt", "Approver"],
  AUDITOR: ["Thanh tra, kiểm toán", "Auditor"],
  COMMUNE_POLICE: ["Công an xã, phường", "Commune police"],
  PARTNER: ["Đơn vị chi trả", "Payment organisation"],
  OPERATOR: ["Kỹ thuật vận hành", "Operator"],
  SYSTEM: ["Hệ thống", "The platform"],
};

export function words(list, code) {
  return list[code] ? say(...list[code]) : code;
}
