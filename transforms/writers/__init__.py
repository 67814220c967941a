"""Examples and instruction rows → the formats of other tools, one module per format. `forms` lists them."""
