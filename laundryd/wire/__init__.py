"""The contract between edge, relay and app, pure: ids, phases, events, commands, frames, topics, notices.

Everything here is data: Pydantic models, enumerations and tables. Nothing does I/O, nothing reads a
clock. Documentation, the JSON Schema and the app's TypeScript types are made from these tables.
"""
