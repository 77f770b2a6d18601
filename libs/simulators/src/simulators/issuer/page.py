"""The page on which a person chooses a ready user: plain HTML, no script, Vietnamese or English."""

from __future__ import annotations

from html import escape
from typing import Final

from simulators.issuer.config import IssuerConfig, User

__all__ = ["sign_in_page"]

_WORDS: Final = {
    "vi": {
        "title": "Đăng nhập (môi trường phát triển)",
        "hint": "Máy chủ đăng nhập để phát triển và tập huấn: chọn một người dùng có sẵn. Không dùng cho hệ thống thật.",
        "users": "Người dùng",
        "password": "Mật khẩu (chỉ với người dùng đã đổi mật khẩu)",
        "go": "Đăng nhập",
        "wrong": "Chưa chọn người dùng, hoặc sai mật khẩu.",
        "units": "địa bàn",
    },
    "en": {
        "title": "Sign in (development)",
        "hint": "A sign-in server for development and training: choose a ready user. Not for a real system.",
        "users": "User",
        "password": "Password (only for users whose password was changed)",
        "go": "Sign in",
        "wrong": "No user chosen, or a wrong password.",
        "units": "area",
    },
}


_ROLES: Final = {
    "COMMUNE_OFFICER": ("cán bộ xã, phường", "commune officer"),
    "DISTRICT_OFFICER": ("cán bộ huyện", "district officer"),
    "DEPARTMENT_OFFICER": ("cán bộ Sở", "department officer"),
    "APPROVER": ("người duyệt", "approver"),
    "AUDITOR": ("thanh tra, kiểm toán", "auditor"),
    "COMMUNE_POLICE": ("công an xã, phường", "commune police"),
    "OPERATOR": ("kỹ thuật vận hành", "operator"),
}
"""A role without words is shown as it is."""
_TYPED: Final = '<p><label for="password">{label}</label><input id="password" name="password" type="password" autocomplete="off"></p>'


def sign_in_page(config: IssuerConfig, key: str, language: str, *, wrong: bool) -> str:
    """The HTML; `key` is the page's one-time key, `wrong` shows that the last choice did not hold."""
    words = {name: escape(text) for name, text in _WORDS[language].items()}
    users = "\n".join(_choice(login, user, words["units"], language) for login, user in config.users.items())
    password = "" if all(map(config.is_ready, config.users.values())) else _TYPED.format(label=words["password"])
    error = f'<p class="error" role="alert">{words["wrong"]}</p>' if wrong else ""
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{words["title"]}</title>
<link rel="stylesheet" href="sign-in.css">
</head>
<body>
<main>
<h1>{words["title"]}</h1>
<p>{words["hint"]}</p>
{error}
<form method="post" action="authorize">
<input type="hidden" name="page" value="{escape(key, quote=True)}">
<fieldset><legend>{words["users"]}</legend>
{users}
</fieldset>
{password}
<button type="submit">{words["go"]}</button>
</form>
</main>
</body>
</html>
"""


def _choice(login: str, user: User, units: str, language: str) -> str:
    roles = ", ".join(_ROLES.get(role, (role, role))[language == "en"] for role in user.roles)
    what = roles + (f" · {units} {', '.join(user.units)}" if user.units else "")
    name = escape(login, quote=True)
    return (
        f'<label class="user"><input type="radio" name="username" value="{name}" required>'
        f"<span><strong>{escape(user.name or login)}</strong> <code>{name}</code><small>{escape(what)}</small></span></label>"
    )
