"""OUT: the cloud. Journal and presence up, commands and roster down."""
