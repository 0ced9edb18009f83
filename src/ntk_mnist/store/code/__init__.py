"""The parts of ``store.code_digest``: names, modules, the meaning of a definition, reachability."""
