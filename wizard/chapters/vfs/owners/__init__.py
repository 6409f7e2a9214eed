"""Who else sets VFs at boot: one module for each mechanism, by the rules of the program that reads it; `table` lists them."""
