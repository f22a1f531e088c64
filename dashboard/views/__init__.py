"""The pages: shells rendered here, rows filled in the browser. A page request touches the database only."""
