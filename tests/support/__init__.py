"""What the tests share: catalogue-driven cases, an independent certificate, checkers."""
