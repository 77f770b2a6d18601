"""Problems of batches that travel as files, and of the budget codes in them."""

from __future__ import annotations

from common.problems import Problem

__all__ = ["BatchNotFound", "CodesExist", "FileHoldsDead", "FileStopped", "FileWithAPerson", "NotAFile", "NothingWaits", "PayerNotSet"]


class BatchNotFound(Problem):
    """No such batch, or its cycle is not in the caller's units."""

    type = "batch-not-found"
    status = 404
    title = "No such batch"
    title_vi = "Không tìm thấy lô chi trả"


class NotAFile(Problem):
    """The batch goes to an API, or its file is not made yet."""

    type = "not-a-file"
    status = 409
    title = "The batch has no file"
    title_vi = "Lô chi trả này chưa có tệp hoặc không gửi bằng tệp"


class FileStopped(Problem):
    """A stop stands over the batch (`GET /v1/pauses`): its file would leave our hands."""

    type = "file-stopped"
    status = 409
    title = "Payments are stopped: the file is not given out"
    title_vi = "Đang tạm dừng chi trả: chưa được lấy tệp"


class FileHoldsDead(Problem):
    """A payment in the file was declared dead and its months may be paid again: whoever executes this file once more pays it twice."""

    type = "file-holds-dead"
    status = 409
    title = "A payment in this file was declared not paid and may be paid again: the file is not given out any more"
    title_vi = "Tệp có khoản đã được kết luận không chi được, có thể đang chi lại: không giao tệp này lần nữa"


class NothingWaits(Problem):
    """The batch does not wait for an acknowledgement: sending its file again would have no reason."""

    type = "nothing-waits"
    status = 409
    title = "The batch does not wait for an acknowledgement"
    title_vi = "Lô chi trả này không chờ xác nhận"


class FileWithAPerson(Problem):
    """This partner has no API: a person downloads the file and hands it over."""

    type = "file-with-a-person"
    status = 409
    title = "This partner takes files from a person only: download it"
    title_vi = "Đơn vị chi trả này nhận tệp trực tiếp: hãy tải tệp về"


class PayerNotSet(Problem):
    """The partners file names no paying account of ours at this partner."""

    type = "payer-not-set"
    status = 409
    title = "Our paying account at this partner is not configured"
    title_vi = "Chưa cấu hình tài khoản chi tại đơn vị chi trả này"


class CodesExist(Problem):
    """Codes of this programme and funding source begin on this day already, proposed or approved."""

    type = "codes-exist"
    status = 409
    title = "Codes from this day exist already"
    title_vi = "Đã có mã ngân sách từ ngày này"
