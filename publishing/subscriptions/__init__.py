"""Subscribers: what each wants, and how it comes to their chats.

    Publication ─▶ Mailing ─▶ Delivery, one a person ─▶ sent, or visibly unresolved

`people` is what somebody asks for, `mailings` what is to be sent, `fanning` to whom, `sending` and `settling` are the
outbox. Everything is a row; each step may be killed and done again.
"""
