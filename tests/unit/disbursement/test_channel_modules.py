"""A partner's row names the module that speaks for it; one that nobody wrote stops the worker before anything is sent."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from common.http import client
from common.sealing import Keyring
from common.testing import keyring_data
from disbursement.channels.files import latin
from disbursement.channels.loading import NoSuchChannel, channel_of
from disbursement.channels.partners import Partner

SECRET = "whsec_" + "b3V0Ym91bmQgc2VjcmV0IG9mIHRlc3RzIGhlcmU="


def partner(**fields: object) -> Partner:
    """A row of the partners file."""
    row = {"name": "x", "kind": "BANK", "url": "http://x", "outbound_secret": SECRET, "inbound_secrets": [SECRET]}
    return Partner.model_validate({**row, **fields})


@pytest.mark.parametrize(
    ("name", "by_inquiry", "file"),
    [(None, True, None), ("iso20022", False, "B1.xml"), ("bank_file", False, "B1.xlsx"), ("treasury_file", False, "B1.xlsx")],
)
async def test_a_row_names_its_channel_and_json_is_meant_without_one(name: str | None, by_inquiry: bool, file: str | None) -> None:
    row = partner() if name is None else partner(channel=name)
    async with client() as http:
        channel = channel_of(row, http, Keyring("disbursement", keyring_data("disbursement")))
    assert (channel.answers_inquiries, channel.file_name("B1")) == (by_inquiry, file)


@pytest.mark.parametrize("name", ["nobody", "protocol", "partners"])
async def test_a_channel_that_is_none_is_refused(name: str) -> None:
    async with client() as http:
        with pytest.raises(NoSuchChannel, match=name):
            channel_of(partner(channel=name), http, Keyring("disbursement", keyring_data("disbursement")))


@pytest.mark.parametrize("fields", [{"url": ""}, {"channel": "../x"}, {"channel": "a.b"}, {"payer": {"name": "x"}}])
def test_a_row_that_cannot_work_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        partner(**fields)


def test_text_for_banks_is_unaccented_and_short() -> None:
    assert latin("Sở Nội vụ – Đắk Lắk “2024” & <x>", 70) == "So Noi vu Dak Lak 2024 x"
    assert latin("An sinh tháng 09/2024", 10) == "An sinh th"
