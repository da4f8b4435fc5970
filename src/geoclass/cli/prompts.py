"""Parses field values typed in the terminal."""


def parse_value(name: str, text: str) -> tuple[str, ...] | None:
    """The values typed; () for none, None if invalid."""
    if not text:
        return ()
    if name == "genre":
        from geoclass.tagging.entries import genre_name

        return tuple(genre_name(part) for part in text.split(",") if part.strip())
    from geoclass.geo.countries import find_country

    code = find_country(text)
    return (code,) if code else None
