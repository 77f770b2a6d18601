"""`./ansinh drill`: disasters rehearsed on a stack of its own."""
