"""What the registry knows without any database: number structure, dates, row checks, reasons and problems."""
