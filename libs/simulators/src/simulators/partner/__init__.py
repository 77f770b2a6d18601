"""Partner simulator: banks, wallets, mobile money and the post in one application, with books of its own.

The books are the witness: that nobody was paid twice is proved here, in the outside's accounts, and not in the platform's.
"""
