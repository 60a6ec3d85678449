"""The ledger: append and read, SQL only here."""
