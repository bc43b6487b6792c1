"""The bot that people can write to. It offers everybody what is public, and administrators what editors decide.

Updates come in by `polling` or by the `webhook`, become rows in the `inbox`, each at most once, and are answered from
there: `answering` finds the command or button, `speaking` sends what it says.
"""
