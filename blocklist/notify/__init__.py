"""Notifications: alerts about what is wrong become messages, which an outbox delivers.

:mod:`.conditions` finds what is wrong now, :mod:`.messages` writes the text, :mod:`.webhook` and :mod:`.mail` deliver,
and the schedule calls :mod:`.notifier`. No run waits for this room: it only reads what runs recorded.
"""
