"""How ``store.code_digest`` reads code: scopes, modules, meaning of definitions, reachability."""
