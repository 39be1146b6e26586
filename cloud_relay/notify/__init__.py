"""Who is told a notice, where and when: a pure plan, deadlines that survive a kill, and their keeper."""
