"""Operations on a whole collection."""
