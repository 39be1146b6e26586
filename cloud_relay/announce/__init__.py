"""Announcements of the staff: kept, scheduled, told to residents, and shown in the rooms."""
