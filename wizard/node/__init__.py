"""Reading a node: this machine, a recorded one, or a simulated one. Reading never writes."""
