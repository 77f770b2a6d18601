"""Development OIDC issuer: ready users, RS256 tokens of one hour. Never for production; there it refuses to start."""
