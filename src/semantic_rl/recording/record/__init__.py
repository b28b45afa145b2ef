"""`semantic-rl record`: plays a trained agent and writes a recording folder."""

from semantic_rl.recording.record.make import record, record_policy

__all__ = ["record", "record_policy"]
