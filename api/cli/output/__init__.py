"""What commands print: tables, JSON, sheets, quantities."""
