"""`./ansinh chaos`: a cycle of people while processes die, freeze, lose their log or their clock, and the world outside fails and lies."""
