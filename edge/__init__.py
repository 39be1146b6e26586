"""The daemon of one laundry room: sources, detection, the room, its store and its ways out."""
