"""What the processes say to each other and what the operator sees: frozen types and pure functions.

Nothing here imports another room, numpy or a toolkit, so that every process, the console included, can
import it in a few milliseconds.
"""
