"""Tables of a stage's output → flat frames → Great Expectations suites → results and a page to read them."""
