"""Training settings of the systems that docs/reproducing.md names, one TOML each."""
