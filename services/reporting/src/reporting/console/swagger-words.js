// Swagger UI speaks English only: its fixed words in Vietnamese, put in wherever it draws them while the page is read in Vietnamese.
// Only the text of a text node changes, as React itself changes it; what officers type and what services answer is left alone.
import { currentLanguage } from "./sign-in.js";

const WORDS = {
  "Parameters": "Tham số", "No parameters": "Không có tham số", "Name": "Tên", "Description": "Mô tả", "required": "bắt buộc",
  "Try it out": "Nhập để thực hiện", "Try it out ": "Nhập để thực hiện", "Cancel": "Thôi nhập", "Reset": "Nhập lại từ đầu",
  "Execute": "Thực hiện", "Clear": "Xóa kết quả",
  "Request body": "Nội dung gửi đi", "Example Value": "Ví dụ", "Edit Value": "Nhập giá trị", "Schema": "Cấu trúc", "Example": "Ví dụ",
  "Responses": "Trả lời", "Response": "Trả lời", "Server response": "Máy chủ trả lời", "Response body": "Nội dung trả lời",
  "Response headers": "Phần đầu trả lời", "Request URL": "Địa chỉ đã gọi", "Request duration": "Thời gian xử lý", "Code": "Mã", "Details": "Chi tiết",
  "Links": "Liên kết", "No links": "Không có", "Media type": "Dạng dữ liệu", "Download": "Tải về", "Loading": "Đang tải",
  "Send empty value": "Gửi giá trị trống", "Available values": "Các giá trị", "Default value": "Mặc định", "Headers:": "Phần đầu:",
  "Controls ": "Chọn phần đầu ", " header.": " của yêu cầu.",
};
const LEFT_ALONE = "textarea, input, pre, code, .markdown, .renderedMarkdown, .opblock-summary-description, .microlight";

function tell(node) {
  const told = node.nodeType === Node.TEXT_NODE ? WORDS[node.nodeValue] : undefined;
  if (told && !node.parentElement?.closest(LEFT_ALONE)) node.nodeValue = told;
  else if (node.nodeType === Node.ELEMENT_NODE && !node.matches(LEFT_ALONE)) node.childNodes.forEach(tell);
}

export function translate(root) {
  new MutationObserver((changes) => {
    if (currentLanguage() !== "vi") return;
    for (const change of changes) {
      if (change.type === "characterData") tell(change.target);
      else change.addedNodes.forEach(tell);
    }
  }).observe(root, { childList: true, characterData: true, subtree: true });
}
