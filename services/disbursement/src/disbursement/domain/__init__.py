"""Rules of payment: cycles, lists, the gate, holds, payments and the ledger. Pure: no database, no network."""
