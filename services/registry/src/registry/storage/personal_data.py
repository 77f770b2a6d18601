"""What the registry holds about a person, what may be erased, what is kept and for how long.

The category of a benefit may reveal a fact of health: it stands here, in the person's own data, and in no other service's.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from common import clock
from common.db import Tx
from common.personal_data import ERASED, Erasure, Holding, Kept, Part
from common.retention import Keep, say_rules
from registry.storage import history, publishing
from registry.storage.personal_words import WORDS

__all__ = ["HOLDING"]

_OF: Final = "t.person_id = :id"
_REPRESENTED: Final = "(t.beneficiary_id = :id OR t.representative_id = :id)"
_OPENED: Final = {"national_number": "national_number", "second_number": "second_number", "phone": "phone", "ethnicity": "ethnicity"}
_PERSON: Final = (
    Part("person", "Nhân thân và liên hệ", "Identity and contact", _OF, opens=_OPENED),
    Part(
        "self_registration", "Đăng ký tại quầy công dân", "Self-registrations",
        "(t.person_id = :id OR t.number_blind = (SELECT p.number_blind FROM person p WHERE p.person_id = :id))",
        opens={"content": "self_registration"},
    ),
    Part("preference", "Nguyện vọng nhận tiền", "Preference", _OF),
    Part("preference_past", "Nguyện vọng trước đây", "Earlier preferences", _OF),
    Part("survey_task_person", "Trả lời khảo sát", "Answers to surveys", _OF),
    Part("household_member", "Thành viên hộ", "Membership of households", _OF),
    Part("household", "Hộ mà người này làm chủ", "Households headed", "t.head_id = :id"),
    Part("group_membership", "Nhóm đối tượng (hộ nghèo, cận nghèo…)", "Groups", _OF),
    Part("group_list_row", "Dòng danh sách nhóm", "Lines of group lists", _OF, without=("reasons",)),
    Part("institution_stay", "Thời gian ở cơ sở trợ giúp", "Stays in institutions", _OF),
    Part("representative", "Đại diện nhận thay", "Representatives", _REPRESENTED),
    Part("representative_proposal", "Đề nghị về đại diện", "Proposals about representatives", _REPRESENTED),
    Part("merit_relation", "Quan hệ với người có công", "Relations to people of merit", "(t.merit_person_id = :id OR t.relative_id = :id)"),
)  # fmt: skip
_BENEFITS: Final = (
    Part("entitlement", "Chế độ được hưởng", "Entitlements", "(t.person_id = :id OR t.dependant_id = :id)"),
    Part(
        "entitlement_pause", "Các lần tạm dừng", "Pauses",
        "t.entitlement_id IN (SELECT e.entitlement_id FROM entitlement e WHERE e.person_id = :id)",
    ),
    Part("decision", "Quyết định", "Decisions", _OF),
    Part("due_interval", "Khoản phải chi", "Dues", _OF),
    Part("dues_state", "Lần tính khoản phải chi", "When dues were computed", _OF),
    Part("one_off_due", "Khoản một lần", "One-off sums", _OF),
    Part("other_benefit", "Chế độ khác đang hưởng", "Other benefits", _OF),
    Part("funeral_support", "Mai táng phí", "Funeral support", "(t.deceased_id = :id OR t.organiser_id = :id OR t.relative_id = :id)"),
    Part("life_event", "Sự việc (mất, mất tích…)", "Life events", _OF),
    Part("death_difference", "Ngày mất do nguồn khác báo", "Dates of death told by others", _OF),
    Part("transfer", "Chuyển nơi hưởng", "Transfers", _OF),
    Part("suspension_proposal", "Đề nghị tạm dừng vì không nhận", "Proposals to suspend", "t.beneficiary_id = :id"),
    Part("campaign_person", "Quà, trợ cấp theo đợt", "Campaigns", "(t.person_id = :id OR t.payee_id = :id)"),
)  # fmt: skip
_CHANGES: Final = (
    Part("change_request", "Yêu cầu sửa nhân thân", "Requests to change identity", _OF, opens={"national_number": "national_number"}),
    Part("duplicate_candidate", "Nghi trùng hồ sơ", "Suspected duplicates", "(t.a_id = :id OR t.b_id = :id)", without=("reasons",)),
    Part("duplicate_decision", "Kết luận trùng hồ sơ", "Decisions about duplicates", "t.survivor_id = :id"),
    Part("person_merge", "Gộp hồ sơ", "Merged files", "(t.survivor_id = :id OR t.other_id = :id)", without=("before", "after")),
    Part(
        "insurance_line", "Dòng gửi cơ quan bảo hiểm xã hội", "Lines sent to Social Insurance", _OF,
        opens={"national_number": "national_number"},
    ),
    Part("unit_moved", "Đổi đơn vị hành chính", "Changes of administrative unit", _OF),
    Part("unit_work_item", "Việc xếp lại đơn vị hành chính", "Work on administrative units", _OF),
    Part("person_change", "Nhật ký thay đổi", "Log of changes", _OF),
    Part(
        "import_row", "Dòng trong danh sách đã nhập", "Lines of lists", _OF, opens=_OPENED, without=("reasons", "warnings",
        "rep_national_number"),
    ),
    Part(
        "record_history", "Lịch sử từng bản ghi", "History of each record",
        "(t.subject_id = :id OR t.kind = 'person' AND t.record_key = CAST(:id AS text))",
        columns="t.kind, t.record_key, t.op, t.recorded_at,"
        " t.before - (SELECT h.hidden FROM history_table h WHERE h.kind = t.kind) AS before",
    ),
    Part("erasure_request", "Yêu cầu xoá dữ liệu", "Requests to erase", _OF),
)  # fmt: skip
_EXCEPTIONS: Final = {
    "attachment": "papers by their id: each is named (attachment_id) in the decision or proposal it belongs to and read at /v1/attachments",
    "data_set": "a file made for another agency; its parts go by retention, that it was made is in the audit log",
    "data_set_part": "records of many people, sealed; goes by retention",
    "duplicate_scan": "a counter", "history_table": "names of columns",
    "import_file": "raw lists of many people: a person's line is import_row; the file goes by retention",
    "insurance_answer": "raw files of many people: what they said is other_benefit; the file goes by retention",
    "insurance_answer_row": "lines of that file by number; the person is insurance_line of the same list and line",
    "institution": "names an institution", "name_tail": "an index of the name that stands in person",
    "survey_task": "an address to visit; whom it concerns is survey_task_person",
}  # fmt: skip
_NEVER: Final = (
    "t.person_id = :id AND NOT EXISTS (SELECT FROM entitlement e WHERE e.person_id = :id OR e.dependant_id = :id)"
    " AND NOT EXISTS (SELECT FROM decision d WHERE d.person_id = :id OR d.dependant_id = :id)"
    " AND NOT EXISTS (SELECT FROM one_off_due o WHERE o.person_id = :id)"
    " AND NOT EXISTS (SELECT FROM campaign_person c WHERE c.person_id = :id OR c.payee_id = :id)"
    " AND NOT EXISTS (SELECT FROM representative r WHERE r.beneficiary_id = :id OR r.representative_id = :id)"
    " AND NOT EXISTS (SELECT FROM merit_relation m WHERE m.merit_person_id = :id OR m.relative_id = :id)"
    " AND NOT EXISTS (SELECT FROM funeral_support f WHERE :id IN (f.deceased_id, f.organiser_id, f.relative_id))"
)
_BLANK_ROW: Final[dict[str, str]] = dict.fromkeys(
    (
        "full_name", "name_folded", "birth_date", "national_number", "number_blind", "masked_number", "identity_fingerprint", "address",
        "rep_full_name", "rep_name_folded", "rep_birth_date", "rep_national_number", "rep_number_blind", "rep_masked_number",
        "rep_fingerprint", "dep_name", "dep_name_folded", "dep_birth_date", "second_number", "second_blind", "masked_second_number",
        "phone",
        "masked_phone", "ethnicity", "hamlet", "household_head",
    ),
    "NULL",
)  # fmt: skip
_MERGED_WITHOUT: Final = (
    "(SELECT jsonb_agg(CASE WHEN p ->> 'person_id' = CAST(:id AS text)"
    """ THEN p || '{"phone": null, "masked_phone": null, "ethnicity": null}' ELSE p END ORDER BY n)"""
    " FROM jsonb_array_elements(t.before -> 'person') WITH ORDINALITY AS o (p, n))"
)
_ERASURES: Final = (
    Erasure("person", "Số điện thoại", "Telephone number", _OF, "t.phone IS NOT NULL", {"phone": "NULL", "masked_phone": "NULL"}),
    Erasure("person", "Dân tộc", "Ethnicity", _OF, "t.ethnicity IS NOT NULL", {"ethnicity": "NULL"}),
    Erasure(
        "import_row", "Điện thoại, dân tộc trong danh sách đã nhập", "Telephone and ethnicity in lists", _OF,
        "t.phone IS NOT NULL OR t.ethnicity IS NOT NULL", {"phone": "NULL", "masked_phone": "NULL", "ethnicity": "NULL"},
    ),
    Erasure(
        "self_registration", "Đăng ký tại quầy đã bị từ chối", "Refused self-registrations",
        "t.state = 'REFUSED' AND (t.person_id = :id OR t.number_blind = (SELECT p.number_blind FROM person p WHERE p.person_id = :id))",
        "TRUE",
    ),
    Erasure(
        "self_registration", "Đơn đã tiếp nhận tại quầy, nguyên văn", "Accepted applications as they came",
        "t.state = 'ACCEPTED' AND t.person_id = :id", "length(t.content) > 0", {"content": "''"},
    ),
    Erasure(
        "person_merge", "Điện thoại, dân tộc trong hồ sơ trước khi gộp", "Telephone and ethnicity in files before a merge",
        "(t.survivor_id = :id OR t.other_id = :id)", f"t.before -> 'person' <> {_MERGED_WITHOUT}",
        {"before": f"jsonb_set(t.before, '{{person}}', {_MERGED_WITHOUT})"},
    ),
    Erasure(
        "insurance_line", "Dòng gửi bảo hiểm xã hội của người chưa từng được hưởng",
        "Lines sent to Social Insurance of somebody never entitled",
        _NEVER, f"t.full_name <> '{ERASED}'",
        {"full_name": f"'{ERASED}'", "birth_date": "NULL", "masked_number": "NULL", "national_number": "NULL"},
    ),
    Erasure(
        "import_row", "Dòng danh sách của người chưa từng được hưởng", "Lines of lists of somebody never entitled", _NEVER,
        "t.full_name IS NOT NULL", _BLANK_ROW,
    ),
    Erasure(
        "change_request", "Yêu cầu sửa nhân thân của người chưa từng được hưởng", "Identity changes of somebody never entitled", _NEVER,
        "t.state <> 'OPEN' AND t.before <> '{}'",
        {"full_name": "NULL", "birth_date": "NULL", "national_number": "NULL", "masked_number": "NULL", "before": "'{}'"},
    ),
    Erasure(
        "person", "Toàn bộ nhân thân của người chưa từng được hưởng", "The whole identity of somebody never entitled", _NEVER,
        f"t.full_name <> '{ERASED}'",
        {
            "full_name": f"'{ERASED}'", "name_folded": "''", "birth_date": "NULL", "national_number": "NULL", "number_blind": "NULL",
            "masked_number": "NULL", "address": "NULL", "hamlet": "NULL", "second_number": "NULL", "second_blind": "NULL",
            "masked_second_number": "NULL", "file_code": "NULL", "identity_fingerprint": "''", "sex": "'UNKNOWN'",
        },
    ),
    Erasure(
        "record_history", "Các trường trên trong lịch sử hồ sơ", "The same fields in the record's history",
        "t.kind = 'person' AND t.record_key = CAST(:id AS text)",
        "t.before ->> 'phone' IS NOT NULL OR t.before ->> 'ethnicity' IS NOT NULL OR t.before ->> 'full_name' <> "
        f"(SELECT CASE WHEN p.full_name = '{ERASED}' THEN p.full_name ELSE t.before ->> 'full_name' END"
        " FROM person p WHERE p.person_id = :id)",
        call="erase_in_history",
    ),
)  # fmt: skip
_KEPT: Final = (
    Kept(
        "Quyết định, chế độ và nhân thân ghi trong đó", "Decisions, entitlements and the identity they name",
        "Luật Lưu trữ 33/2024/QH15; thời hạn hồ sơ chính sách: cơ quan chưa ấn định",
        "SELECT max(d) FROM (SELECT max(t.decision_date) AS d FROM entitlement t WHERE t.person_id = :id"
        " UNION ALL SELECT max(t.decision_date) FROM decision t WHERE t.person_id = :id) x", None,
    ),
    Kept(
        "Đại diện nhận thay: căn cứ của chứng từ chi", "Representatives: what vouchers rest on",
        "Luật Kế toán 88/2015/QH13 Điều 41; Nghị định 174/2016/NĐ-CP Điều 13: tối thiểu 10 năm",
        "SELECT max(coalesce(t.revoked_on, t.valid_from)) FROM representative t"
        " WHERE t.beneficiary_id = :id OR t.representative_id = :id", 10,
    ),
)  # fmt: skip
_OPEN_TERM: Final = "Luật 91/2025/QH15: không giữ lâu hơn mục đích; chưa thấy văn bản ấn định số ngày"
_RETENTION: Final = (
    Keep(
        "refused_registrations", "self_registration", "t.decided_on", "Đăng ký tại quầy đã bị từ chối", "Refused self-registrations",
        _OPEN_TERM, None, holds="t.state = 'REFUSED'", question_vi="Giữ đăng ký bị từ chối bao lâu (thời hạn khiếu nại)?",
    ),
    Keep(
        "accepted_registrations", "self_registration", "t.decided_on", "Đơn đã tiếp nhận tại quầy, nguyên văn",
        "Accepted applications as they came", _OPEN_TERM, None, holds="t.state = 'ACCEPTED' AND length(t.content) > 0",
        sets={"content": "''"}, question_vi="Giữ nguyên văn đơn bao lâu sau khi đã tiếp nhận (hồ sơ chính là danh bạ)?",
    ),
    Keep(
        "import_files", "import_file", "t.applied_at", "Tệp danh sách gốc đã áp dụng", "Raw lists once applied", _OPEN_TERM, None,
        holds="length(t.content) > 0", sets={"content": "''"}, question_vi="Giữ tệp gốc bao lâu sau khi đã áp dụng?",
    ),
    Keep(
        "import_rows", "import_row", "(SELECT f.applied_at FROM import_file f WHERE f.import_id = t.import_id)",
        "Nhân thân trên từng dòng danh sách đã áp dụng", "Identity on lines of lists once applied", _OPEN_TERM, None,
        holds="t.full_name IS NOT NULL", sets=_BLANK_ROW, question_vi="Giữ từng dòng danh sách bao lâu sau khi đã áp dụng?",
    ),
    Keep(
        "insurance_answers", "insurance_answer", "t.decided_at", "Tệp trả lời của cơ quan bảo hiểm xã hội", "Answers of Social Insurance",
        _OPEN_TERM, None, holds="length(t.content) > 0", sets={"content": "''"}, question_vi="Giữ tệp gốc bao lâu?",
    ),
    Keep(
        "data_sets", "data_set_part", "(SELECT d.created_at FROM data_set d WHERE d.data_set_id = t.data_set_id)",
        "Bộ dữ liệu đã giao cho cơ quan khác", "Data sets made for other agencies", _OPEN_TERM, None,
        question_vi="Giữ bản sao đã giao bao lâu?",
    ),
)  # fmt: skip


async def _tell(tx: Tx, person_id: UUID) -> None:
    """The other services hear what is left, by the event they know: their copies lose what this register has lost."""
    person = await tx.row("UPDATE person SET version = version + 1 WHERE person_id = :id RETURNING is_beneficiary", id=person_id)
    if person is not None and person["is_beneficiary"]:
        if tx.db.keyring is None:
            raise RuntimeError("the registry needs its keyring")
        day = await history.last_day(tx) or clock.today()
        await publishing.publish_people(tx, tx.db.keyring, [(person_id, "BeneficiaryUpdated")], day)


HOLDING: Final = Holding(
    service="registry",
    home="SELECT unit_path FROM person WHERE person_id = :id",
    units="SELECT CAST(NULL AS text) AS unit_path WHERE CAST(:id AS uuid) IS NULL",
    parts=(*_PERSON, *_BENEFITS, *_CHANGES), exceptions=_EXCEPTIONS, words=WORDS, erasures=_ERASURES, kept=_KEPT, retention=_RETENTION,
    audit_types=("beneficiary", "person", "representative"), begin=publishing.take_people_lock, end=_tell,
)  # fmt: skip


if __name__ == "__main__":
    say_rules(HOLDING.retention)
