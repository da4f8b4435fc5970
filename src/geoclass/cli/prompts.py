"""What people type in the terminal, as values of fields."""


def parse_value(name: str, text: str) -> tuple[str, ...] | None:
    """The values that somebody typed; () for none, None for what cannot be."""
    if not text:
        return ()
    if name == "genre":
        from geoclass.tagging.entries import genre_name

        return tuple(genre_name(part) for part in text.split(",") if part.strip())
    from geoclass.geo.countries import find_country

    code = find_country(text)
    return (code,) if code else None
