"""Weekly transactions in, next-basket scores out."""
