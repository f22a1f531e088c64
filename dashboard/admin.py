"""The admin: API tokens and what people did. Rows that follow from the log are not edited by hand."""
