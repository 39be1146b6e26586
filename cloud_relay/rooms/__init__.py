"""Each enrolled room as its edge last told it: snapshot, owners, presence and a bounded journal."""
