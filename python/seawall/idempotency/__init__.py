"""Operations that take effect once."""
