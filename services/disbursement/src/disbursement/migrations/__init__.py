"""Schema of the disbursement database, revision by revision (SQL first, run by `python -m disbursement.main migrate`)."""
