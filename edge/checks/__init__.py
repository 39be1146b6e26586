"""What ``laundryd edge check`` finds: judgements (pure) and the looks that they judge."""
