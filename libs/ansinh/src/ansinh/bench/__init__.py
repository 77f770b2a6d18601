"""`./ansinh bench`: the rate and the memory of each stage, measured on a real run of the embedded stack."""
