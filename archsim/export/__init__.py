"""Programs and traces as data for models outside archsim: versioned JSON and CSV (docs/program_json.md)."""
