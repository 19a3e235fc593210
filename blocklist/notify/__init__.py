"""Telling people: what is wrong becomes alerts, alerts become news, news become messages that an outbox delivers.

``conditions`` looks, ``news`` remembers what was told, ``messages`` words, ``webhook`` and ``mail`` deliver, and
``notifier`` is what the schedule calls. Nothing here takes part in a run: all is read from what runs wrote down.
"""
