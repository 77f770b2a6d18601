"""The catalogue of problems: every kind of error a service can answer, with what it means and what to do."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Final

from common.problems import Problem

__all__ = ["catalogue", "index_of", "page_of"]

_WHAT_TO_DO: Final[Mapping[int, tuple[str, str]]] = {
    401: (
        "Đăng nhập lại, hoặc lấy mã truy cập mới rồi gửi lại yêu cầu.",
        "Sign in again, or get a new access token; then send the request again.",
    ),
    403: (
        "Cần người có vai trò khác, hoặc người thứ hai: xem `detail` và mục “Ai được làm” của lệnh trong bảng điều khiển.",
        "Somebody with another role, or a second person, must do this: see `detail`, and “Who may” of the operation in the console.",
    ),
    404: (
        "Kiểm tra mã. Đối tượng của đơn vị khác cũng trả lời như vậy.",
        "Check the id. An object of another unit is answered the same way.",
    ),
    409: (
        "Đọc lại đối tượng: trạng thái của nó không cho phép việc này. Gửi lại nguyên như cũ chỉ có ích khi có `Retry-After`.",
        "Read the object again: its state does not allow this. Sending the same again helps only where there is a `Retry-After`.",
    ),
    412: (
        "Đọc lại để lấy `ETag` mới, xem lại thay đổi, rồi gửi lại.",
        "Read again for the new `ETag`, look at what changed, and send again.",
    ),
    413: ("Chia nhỏ tệp hoặc yêu cầu.", "Split the file or the request."),
    415: ("Gửi đúng loại tệp mà lệnh nêu.", "Send a file of a kind the operation names."),
    422: (
        "Sửa dữ liệu: `errors` nêu trường (và dòng) nào sai, vì sao. Gửi lại nguyên như cũ sẽ bị từ chối như cũ.",
        "Correct the input: `errors` names the field (and row) and why. The same again is refused the same way.",
    ),
    428: ("Gửi `If-Match` với `ETag` đã đọc.", "Send `If-Match` with the `ETag` you read."),
    429: ("Chờ số giây trong `Retry-After`, rồi gửi lại.", "Wait the seconds of `Retry-After`, then send again."),
    500: (
        "Lỗi của hệ thống. Báo `request_id`. Gửi lại với cùng `Idempotency-Key` là an toàn.",
        "A defect of ours. Tell us the `request_id`. Sending again under the same `Idempotency-Key` is safe.",
    ),
    503: (
        "Chưa làm gì cả (nếu chờ 30 giây: xem đã xong chưa). Chờ số giây trong `Retry-After`, rồi gửi lại với cùng `Idempotency-Key`.",
        "Nothing was done (told to wait 30 s: look). Wait the seconds of `Retry-After`, then send again under the same `Idempotency-Key`.",
    ),
}


def _below(kind: type[Problem]) -> Iterator[type[Problem]]:
    for found in kind.__subclasses__():
        yield found
        yield from _below(found)


def catalogue(*packages: str) -> dict[str, list[type[Problem]]]:
    """Type → its classes in these packages (two services may mean the same by one type); only what is imported is known."""
    found: dict[str, list[type[Problem]]] = {}
    for kind in sorted(_below(Problem), key=lambda each: (each.type, each.__module__, each.__name__)):
        if (kind.__module__.partition(".")[0] in packages and "type" in vars(kind)) or kind.type == Problem.type:
            found.setdefault(kind.type, []).append(kind)
    return found


def page_of(name: str, kinds: list[type[Problem]]) -> str:
    """The page of one type, in Markdown."""
    kind = kinds[0]
    vi, en = _WHAT_TO_DO.get(kind.status, _WHAT_TO_DO[500])
    meanings = dict.fromkeys(inspect.getdoc(each) or each.title for each in kinds)
    services = sorted({each.__module__.partition(".")[0].replace("_", "-") for each in kinds})
    where = "mọi dịch vụ · every service" if "common" in services else ", ".join(services)
    lines = [
        f"# {name}",
        "",
        f"**{kind.title_vi} · {kind.title}**",
        "",
        f"| | |\n|---|---|\n| `type` | `/problems/{name}` |\n| HTTP | {kind.status} |\n| {'dịch vụ · services'} | {where} |",
        "",
        *(f"{' '.join(meaning.split())}\n" for meaning in meanings),
        "## Làm gì · What to do",
        "",
        f"{vi}\n\n{en}",
        "",
        "[Danh mục · All of them](../problems.md)",
    ]
    return "\n".join(lines) + "\n"


def index_of(found: Mapping[str, list[type[Problem]]]) -> str:
    """The page that lists all types, in Markdown."""
    rows = [
        f"| [`{name}`](problems/{name}.md) | {kinds[0].status} | {kinds[0].title_vi} | {kinds[0].title} |" for name, kinds in found.items()
    ]
    head = [
        "# Danh mục lỗi · Kinds of error",
        "",
        "Mọi lỗi là `application/problem+json`; `type` không đổi, chữ thì có thể đổi. Written from the error classes: every error is",
        "`application/problem+json` (RFC 9457). Decide by `type`, which is stable, not by words. Which operation answers which is in its",
        "OpenAPI document (`x-problem-types`).",
        "",
        "| type | HTTP | tiếng Việt | English |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"
