"""The weekly report: a week's numbers from the lake (pure functions of tables), and the page that shows them."""
