"""People: who they are, which devices are theirs, which rooms they joined, where push reaches them."""
