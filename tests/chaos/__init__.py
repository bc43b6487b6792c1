"""`make chaos`: every fault, played on the whole stack as compose starts it, while traffic flows."""
