"""Stand-ins for the systems outside: population database, payment partners, development issuer.

They import nothing of the services: what they check (signatures, references, money) they check with code of their own.
"""
